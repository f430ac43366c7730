// The rows with a target: ratios to peers and to limits, all of them so that higher is better.
import { OURS, type Results } from './results.ts';
import { median, rounded, timesCheaper } from './statistics.ts';

export interface Row {
  readonly scenario: string;
  readonly against: string;
  readonly value: number;
  readonly atLeast: number;
}

interface Target {
  readonly scenario: string;
  readonly against: string;
  readonly atLeast: number;
  /** Undefined if it was not measured. */
  value(results: Results): number | undefined;
}

type Place = readonly [scenario: string, subject: string, measure: string];

/**
 * Compares two measures: the median over the repetitions of theirs divided by ours. Other load on a shared machine
 * affects both within a repetition; separate medians would compare different moments.
 */
function compared(scenario: string, against: string, atLeast: number, ours: Place, theirs: Place): Target {
  return {
    ...{ scenario, against, atLeast },
    value: (results) => {
      const over = results.samples(...theirs);
      const ratios = results.samples(...ours).flatMap((value, i) => ratio(value, over[i]) ?? []);
      return ratios.length > 0 ? median(ratios) : undefined;
    },
  };
}

/** CPU time of a server per delivered frame. */
function cheaper(scenario: string, peer: string, atLeast: number): Target {
  const cost = (subject: string): Place => [scenario, subject, 'cpuUsPerFrame'];
  return compared(scenario, peer, atLeast, cost(OURS), cost(peer));
}

/** The ratio of a limit to our measure. */
function limited(scenario: string, limit: number, unit: string, measure: string, atLeast = 1): Target {
  return {
    scenario,
    against: `${limit} ${unit}`,
    atLeast,
    // Noise may give negative values; they count as almost zero.
    value: (results) =>
      ratio(Math.max(limit / 100, results.median(scenario, OURS, measure) ?? Number.NaN), limit),
  };
}

function faster(measure: string, percentile: string): Target {
  const latency = (subject: string): Place => ['D', subject, measure];
  return compared(`D, ${percentile}`, 'raw-node', 0.67, latency(OURS), latency('raw-node'));
}

const TARGETS: readonly Target[] = [
  cheaper('A, one in flight', 'yoga', 5),
  cheaper('A, one in flight', 'nchan', 1),
  cheaper('A, 16 in flight', 'yoga', 50),
  cheaper('A, 16 in flight', 'raw-node', 2),
  cheaper('B', 'yoga', 3.5),
  cheaper('B', 'raw-node', 0.8),
  limited('C, 1000 viewers', 20, 'kB per viewer', 'kbPerViewer'),
  limited('C, 10000 viewers', 20, 'kB per viewer', 'kbPerViewer'),
  faster('p50Ms', 'p50'),
  faster('p99Ms', 'p99'),
  limited('E', 10, 'ms of event loop delay (p99.9)', 'delayP999Ms'),
  limited('F', 64, 'kB of memory per slow viewer', 'kbPerSlowViewer'),
  // Compares the event rate and not CPU time, which includes writes to the slow viewers.
  compared(
    'F, the others',
    'no slow viewers',
    0.9,
    ['F, none slow', OURS, 'eventsPerSecond'],
    ['F', OURS, 'eventsPerSecond'],
  ),
  ...['', ', 16 in flight'].map((pace) =>
    compared(
      `H, 10000 viewers${pace}`,
      `100 viewers${pace}`,
      0.8,
      [`H, 10000 viewers${pace}`, OURS, 'cpuUsPerFrame'],
      [`H, 100 viewers${pace}`, OURS, 'cpuUsPerFrame'],
    ),
  ),
  // The cost of the busier of two workers compared with that of a single worker: how much more two can deliver.
  compared(
    'W, two workers',
    'one worker',
    1.7,
    ['W, two workers', OURS, 'busiestUsPerFrame'],
    ['W, one worker', OURS, 'cpuUsPerFrame'],
  ),
];

/** The rows that can be computed from these results. */
export function rowsOf(results: Results): Row[] {
  return TARGETS.flatMap(({ scenario, against, atLeast, value }) => {
    const measured = value(results);
    return measured === undefined ? [] : [{ scenario, against, value: rounded(measured), atLeast }];
  });
}

export function isMissed({ value, atLeast }: Row): boolean {
  return value < atLeast;
}

/** Recorded rows that have fallen by more than a third, with the new row; undefined if it was not measured. */
export function fallenRows(
  rows: readonly Row[],
  recorded: readonly Row[],
): { row: Row | undefined; was: Row }[] {
  return recorded.flatMap((was) => {
    const row = rows.find(({ scenario, against }) => scenario === was.scenario && against === was.against);
    return row && row.value >= (was.value * 2) / 3 ? [] : [{ row, was }];
  });
}

function ratio(ours: number | undefined, theirs: number | undefined): number | undefined {
  if (ours === undefined || theirs === undefined || Number.isNaN(ours)) return undefined;
  return timesCheaper(ours, theirs);
}
