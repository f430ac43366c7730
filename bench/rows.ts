// The rows that must be reached: ratios against peers and bounds, all so that more is better.
import { OURS, type Results } from './results.ts';
import { median, rounded, timesCheaper } from './statistics.ts';

export interface Row {
  readonly scenario: string;
  readonly against: string;
  readonly value: number;
  readonly atLeast: number;
}

interface Wanted {
  readonly scenario: string;
  readonly against: string;
  readonly atLeast: number;
  /** Undefined where it was not measured. */
  value(results: Results): number | undefined;
}

type Place = readonly [scenario: string, subject: string, measure: string];

/**
 * Two measures: theirs over ours in each repetition, and of that the median. What a shared machine does beside a
 * repetition costs both; a median of each for itself would compare one minute with another.
 */
function compared(scenario: string, against: string, atLeast: number, ours: Place, theirs: Place): Wanted {
  return {
    ...{ scenario, against, atLeast },
    value: (results) => {
      const over = results.samples(...theirs);
      const ratios = results.samples(...ours).flatMap((value, i) => ratio(value, over[i]) ?? []);
      return ratios.length > 0 ? median(ratios) : undefined;
    },
  };
}

/** CPU time of a server for a delivered frame. */
function cheaper(scenario: string, peer: string, atLeast: number): Wanted {
  const cost = (subject: string): Place => [scenario, subject, 'cpuUsPerFrame'];
  return compared(scenario, peer, atLeast, cost(OURS), cost(peer));
}

/** A bound over what was measured of us. */
function within(scenario: string, bound: number, unit: string, measure: string, atLeast = 1): Wanted {
  return {
    scenario,
    against: `${bound} ${unit}`,
    atLeast,
    // Less than nothing, as noise may have it, is next to nothing.
    value: (results) =>
      ratio(Math.max(bound / 100, results.median(scenario, OURS, measure) ?? Number.NaN), bound),
  };
}

function quicker(measure: string, percentile: string): Wanted {
  const latency = (subject: string): Place => ['D', subject, measure];
  return compared(`D, ${percentile}`, 'raw-node', 0.67, latency(OURS), latency('raw-node'));
}

const WANTED: readonly Wanted[] = [
  cheaper('A, one in flight', 'yoga', 5),
  cheaper('A, one in flight', 'nchan', 1),
  cheaper('A, 16 in flight', 'yoga', 50),
  cheaper('A, 16 in flight', 'raw-node', 2),
  cheaper('B', 'yoga', 3.5),
  cheaper('B', 'raw-node', 0.8),
  within('C, 1000 viewers', 20, 'kB a viewer', 'kbPerViewer'),
  within('C, 10000 viewers', 20, 'kB a viewer', 'kbPerViewer'),
  quicker('p50Ms', 'p50'),
  quicker('p99Ms', 'p99'),
  within('E', 10, 'ms of event loop delay (p99.9)', 'delayP999Ms'),
  within('F', 64, 'kB of memory for a slow viewer', 'kbPerSlowViewer'),
  // How quickly they are told, not CPU time: that of what is written to the slow ones, too, is no cost of theirs.
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
  // What the busiest worker of two needs for all frames, under one worker's: how much more they can deliver together.
  compared(
    'W, two workers',
    'one worker',
    1.7,
    ['W, two workers', OURS, 'busiestUsPerFrame'],
    ['W, one worker', OURS, 'cpuUsPerFrame'],
  ),
];

/** The rows that this run can tell. */
export function rowsOf(results: Results): Row[] {
  return WANTED.flatMap(({ scenario, against, atLeast, value }) => {
    const measured = value(results);
    return measured === undefined ? [] : [{ scenario, against, value: rounded(measured), atLeast }];
  });
}

export function isMissed({ value, atLeast }: Row): boolean {
  return value < atLeast;
}

/** Recorded rows that have fallen by more than a third, and to what; to nothing where they were not measured. */
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
