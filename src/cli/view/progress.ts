// The line that shows how far an execution is, and how its connection is.
import type { ExecutionState } from '../../event/state.ts';
import { toneOf } from './event-line.ts';
import { formatCount, formatDuration } from './format.ts';
import type { Style } from './style.ts';
import { sanitizeLine, truncateToWidth } from './text-width.ts';
import type { LinkStatus } from './view.ts';

const SYMBOLS = { good: '✓', bad: '✗', notice: '●', neutral: '●' };
const COLOURS = { good: 'green', bad: 'red', notice: 'yellow', neutral: 'cyan' } as const;

export interface Progress {
  readonly state: ExecutionState;
  readonly link: LinkStatus;
  /** Since the command was started. */
  readonly elapsedMs: number;
}

/** The line, not longer than the terminal is wide. */
export function progressLine({ state, link, elapsedMs }: Progress, columns: number, style: Style): string {
  const { status, step, text, value, toolCalls, children, usage } = state;
  if (status === undefined || link.status !== 'live') {
    return style.yellow(truncateToWidth(`… ${linkText(link, status !== undefined)}`, columns - 1));
  }
  const running = toolCalls.filter((call) => call.status === 'started').map(({ name }) => name);
  const open = children.filter((child) => toneOf(child.status) !== 'good' && toneOf(child.status) !== 'bad');
  const parts = [
    status,
    step,
    running.length > 0 ? `calling ${running.join(', ')}` : undefined,
    children.length > 0 ? `${children.length - open.length} of ${children.length} children` : undefined,
    text ? formatCount(text.length, 'character') : undefined,
    value !== null && value !== undefined
      ? `value ${JSON.stringify(value).length.toLocaleString('en')} B`
      : undefined,
    usage ? formatCount(usage.totalTokens, 'token') : undefined,
    formatDuration(Math.floor(elapsedMs / 1_000) * 1_000),
  ].flatMap((part) => (part === undefined ? [] : sanitizeLine(part)));
  const tone = toneOf(status);
  const line = truncateToWidth(parts.join(' · '), columns - 3);
  return `${style[COLOURS[tone]](SYMBOLS[tone])} ${style.dim(line)}`;
}

function linkText(link: LinkStatus, wasLive: boolean): string {
  if (link.status === 'lost') return `connection lost${link.reason ? ` (${link.reason})` : ''}; trying again`;
  if (link.status === 'connecting') return wasLive ? 'reconnecting' : 'connecting';
  return 'waiting for the first event';
}
