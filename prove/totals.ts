// The sums of all verdicts.

import type { Verdict } from './check/judge.ts';
import type { Finding } from './check/seen.ts';
import type { Played } from './faults/fault.ts';

/** A problem, described for a person. */
export interface Violation extends Finding {
  readonly viewer: string;
  readonly executionId: string;
}

export interface Totals {
  delivered: number;
  lost: number;
  doubled: number;
  disordered: number;
  wronglyRead: number;
  viewers: number;
  executions: number;
  /** By reason. */
  readonly resets: Record<string, number>;
  /** By the faults that were active. */
  readonly gaps: Record<string, number>;
  readonly violations: Violation[];
}

/** The maximum number of violations that are kept with their details. */
const MAX_VIOLATIONS = 2_000;

export function createTotals(): Totals {
  return {
    ...{ delivered: 0, lost: 0, doubled: 0, disordered: 0, wronglyRead: 0, viewers: 0, executions: 0 },
    ...{ resets: {}, gaps: {}, violations: [] },
  };
}

export function addVerdict(
  totals: Totals,
  viewer: string,
  executionId: string,
  verdict: Verdict,
  played: readonly Played[],
): void {
  totals.viewers += 1;
  totals.delivered += verdict.delivered;
  for (const finding of verdict.findings) addFinding(totals, { ...finding, viewer, executionId });
  for (const { reason } of verdict.resets) totals.resets[reason] = (totals.resets[reason] ?? 0) + 1;
  for (const { at } of verdict.gaps) {
    const cause = during(played, at, at) || 'no fault';
    totals.gaps[cause] = (totals.gaps[cause] ?? 0) + 1;
  }
}

export function addFinding(totals: Totals, violation: Violation): void {
  totals[violation.what] += violation.count;
  if (totals.violations.length < MAX_VIOLATIONS) totals.violations.push(violation);
}

/** How long a fault has effects after it is over. */
const AFTERMATH_MS = 3_000;

/** The faults that were active in a period, or shortly before it. */
export function during(played: readonly Played[], from: number, to: number): string {
  const kinds = played
    .filter((each) => each.from <= to && each.to + AFTERMATH_MS >= from)
    .map(({ kind }) => kind);
  return [...new Set(kinds)].join(' + ');
}
