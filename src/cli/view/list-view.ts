// Shows a list of executions: as a table, or as lines of JSON.
import type { ListedExecution } from '../../client/list.ts';
import { toneOf } from './event-line.ts';
import { formatDateTime, formatDuration, formatShortTime } from './format.ts';
import { createStyle, type Output, type Style } from './style.ts';
import { formatTable } from './table.ts';
import { sanitizeLine, truncateToWidth } from './text-width.ts';

export interface ListOutput extends Output {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export interface ListFormat {
  readonly json?: true;
  /** @default true */
  readonly color: boolean;
}

/** A list that is shown again when it changes. */
export interface ListView {
  /** @param problem why the list may be outdated */
  show(executions: readonly ListedExecution[], problem: string | undefined): void;
  close(): void;
}

const HEADER = ['ID', 'KIND', 'STATUS', 'NAME', 'ATTEMPT', 'STARTED', 'DURATION'];
const TONES = { good: 'green', bad: 'red', notice: 'yellow', neutral: 'cyan' } as const;
/** The columns of ids and names. */
const SHRINKING = [0, 3];

/** The list as text. A terminal's rows are cut to its width. */
export function formatRows(
  executions: readonly ListedExecution[],
  output: ListOutput,
  { json, color }: ListFormat,
): string {
  if (json) return executions.map((execution) => `${JSON.stringify(execution)}\n`).join('');
  const style = createStyle(output, color);
  if (executions.length === 0) return output.isTTY ? `${style.dim('no executions')}\n` : '';
  const columns = output.isTTY ? output.columns : undefined;
  const formatStart = columns === undefined ? formatDateTime : formatShortTime;
  const rows = executions.map((execution) => rowOf(execution, formatStart(execution.startedAt), style));
  return formatTable([HEADER.map(style.bold), ...rows], { columns, shrinking: SHRINKING });
}

function rowOf(
  { id, kind, status, name, attempt, ...times }: ListedExecution,
  started: string,
  style: Style,
): string[] {
  const endAt = times.finishedAt === null ? Date.now() : Date.parse(times.finishedAt);
  const durationMs = Math.max(0, endAt - Date.parse(times.startedAt));
  return [
    sanitizeLine(id),
    kind,
    style[TONES[toneOf(status)]](status),
    sanitizeLine(name ?? ''),
    `${attempt}`,
    started,
    formatDuration(durationMs),
  ];
}

/** In a terminal, replaces the list; elsewhere, writes the executions that have changed. */
export function createListView(output: ListOutput, format: ListFormat): ListView {
  return output.isTTY && !format.json ? createTerminalList(output, format) : createChangeList(output, format);
}

function createTerminalList(output: ListOutput, format: ListFormat): ListView {
  const style = createStyle(output, format.color);
  let drawnRows = 0;
  let shown: readonly ListedExecution[] = [];
  let problem: string | undefined;
  // Durations grow.
  const ticks = setInterval(draw, 1_000);

  function draw(): void {
    const columns = output.columns ?? 80;
    const note =
      problem && style.yellow(truncateToWidth(sanitizeLine(`${problem}; trying again`), columns - 1));
    const lines = formatRows(shown, output, format).trimEnd().split('\n');
    const fitting = [...lines.slice(0, Math.max(2, (output.rows ?? 24) - 2)), ...(note ? [note] : [])];
    const up = drawnRows > 0 ? `\x1b[${drawnRows}A` : '';
    // Rows do not wrap, so that their number is known.
    output.write(`\r${up}\x1b[J\x1b[?7l${fitting.join('\n')}\n\x1b[?7h`);
    drawnRows = fitting.length;
  }

  return {
    show(executions, reason) {
      shown = executions;
      problem = reason;
      draw();
    },
    close: () => clearInterval(ticks),
  };
}

function createChangeList(output: ListOutput, format: ListFormat): ListView {
  let known: readonly ListedExecution[] = [];
  let hasHeader = false;
  return {
    show(executions) {
      // Executions that have not changed keep their identity. Oldest first, as in a log.
      const changed = executions.filter((execution) => !known.includes(execution)).toReversed();
      known = executions;
      const text = formatRows(changed, output, format);
      output.write(hasHeader && !format.json ? text.slice(text.indexOf('\n') + 1) : text);
      hasHeader ||= changed.length > 0;
    },
    close() {},
  };
}
