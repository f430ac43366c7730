// The report of a run, as text and as JSON.

import type { Played } from './faults/fault.ts';
import type { Options } from './options.ts';
import { during, type Totals, type Violation } from './totals.ts';
import type { Pause } from './viewers/pauses.ts';

export interface RunResult {
  readonly options: Options;
  readonly totals: Totals;
  readonly played: readonly Played[];
  readonly faults: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
  readonly longestPause: Pause | undefined;
  readonly longPauses: readonly Pause[];
  readonly connections: number;
  readonly renewals: number;
  readonly rejections: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** The folder of logs and journals. */
  readonly folder: string;
}

/** What `--json` writes. */
export function toJson(result: RunResult): object {
  const { options, totals, faults, problems, connections, renewals, rejections, seconds } = result;
  const { scenario, seed, minutes } = options;
  return {
    ...{ scenario, seed, minutes },
    ...totals,
    eventsPerSecond: perSecond(result),
    longestPauseMs: result.longestPause?.ms ?? 0,
    longestPauseDuring: pauseCause(result),
    longPauses: result.longPauses,
    played: result.played,
    ...{ faults, problems, connections, renewals, rejections, seconds },
    passed: failures(result).length === 0,
  };
}

/** The reasons why the run failed; empty if it passed. */
export function failures({ totals, faults, problems }: RunResult): string[] {
  const { delivered, lost, doubled, disordered, wronglyRead } = totals;
  const violations = Object.entries({ lost, doubled, disordered, wronglyRead }).filter(
    ([, count]) => count > 0,
  );
  const missing = Object.entries(faults).filter(([, count]) => count === 0);
  return [
    ...violations.map(([what, count]) => `${count} ${what}`),
    ...(delivered === 0 ? ['nothing was delivered'] : []),
    ...missing.map(([kind]) => `no ${kind} happened: increase --minutes`),
    ...problems,
  ];
}

export function describe(result: RunResult): string {
  const { totals, folder } = result;
  const { delivered, lost, doubled, disordered, wronglyRead, executions, viewers } = totals;
  const rows: [string, string | number][] = [
    ['delivered', delivered.toLocaleString('en')],
    ['lost', lost],
    ['doubled', doubled],
    ['disordered', disordered],
    ['wrongly read', wronglyRead],
    ['resets', counts(totals.resets)],
    ['gaps', counts(totals.gaps)],
    ['longest pause', longest(result)],
    ['faults', counts(result.faults)],
    ['events per second', perSecond(result)],
    ['executions, viewers', `${executions}, ${viewers} on ${result.connections} connections`],
    ['tokens renewed', result.renewals],
    ['rejections', counts(result.rejections)],
  ];
  const reasons = failures(result);
  const shown = grouped(totals.violations);
  return [
    ...rows.map(([name, value]) => `${name.padEnd(20)} ${value}`),
    ...(reasons.length > 0 ? ['', 'FAILED', ...reasons.map((why) => `  ${why}`), ...shown] : []),
    ...(reasons.length > 0 ? [`Logs and journals: ${folder}`] : []),
  ].join('\n');
}

/** One line for identical violations of several viewers. */
function grouped(violations: readonly Violation[]): string[] {
  const groups = new Map<string, Violation[]>();
  for (const violation of violations) {
    const key = `${violation.what} ${violation.executionId}: ${violation.detail}`;
    groups.set(key, [...(groups.get(key) ?? []), violation]);
  }
  return [...groups].slice(0, 40).map(([key, [first, ...others]]) => {
    return `  ${key} (${first!.viewer}${others.length > 0 ? ` and ${others.length} more` : ''})`;
  });
}

function longest(result: RunResult): string {
  const { longestPause } = result;
  if (!longestPause) return 'none';
  return `${longestPause.ms} ms, ${longestPause.viewer}, during ${pauseCause(result)}`;
}

function pauseCause({ longestPause, played }: RunResult): string {
  if (!longestPause) return '';
  return during(played, longestPause.from, longestPause.from + longestPause.ms) || 'no fault';
}

function perSecond({ totals, seconds }: RunResult): number {
  return Math.round(totals.delivered / seconds);
}

function counts(of: Readonly<Record<string, number>>): string {
  const shown = Object.entries(of).map(([name, count]) => `${name} ${count}`);
  return shown.length > 0 ? shown.join(', ') : 'none';
}
