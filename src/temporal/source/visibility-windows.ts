// Reads Temporal's visibility in windows of start times, from newer to older ones. Temporal orders by close time, lists by
// start, and no order can be requested from all of its databases.
import type { ExecutionStatus } from '../../event/events.ts';
import type { DiscoveryQuery } from '../../execution/discovery.ts';
import { quote } from './grpc-visibility.ts';
import type { TemporalClient, VisibleRun } from './temporal-client.ts';

/** Runs that one request to Temporal returns. */
const MAX_RUNS = 1_000;
/** Windows that are read for one page, including those that turned out to be too large. */
const MAX_WINDOWS = 12;
/** The first window, and by how much each one is larger than that before. */
const FIRST_WINDOW_MS = 60_000;
const GROWTH = 8;

/** A range of start times in ms since 1970: after `from`, up to `to`. */
export interface StartRange {
  readonly from: number;
  readonly to: number;
}

/** The runs of all namespaces that started in a range. */
export interface VisibilityWindow extends StartRange {
  readonly runs: readonly NamespacedRun[];
}

export interface NamespacedRun extends VisibleRun {
  readonly namespace: string;
}

/** Temporal's name of each status. */
const STATUS_NAMES: Readonly<Record<ExecutionStatus, string>> = {
  PENDING: 'Running',
  RUNNING: 'Running',
  WAITING: 'Running',
  PAUSED: 'Paused',
  SUCCESS: 'Completed',
  FAILED: 'Failed',
  CANCELED: 'Canceled',
  TIMED_OUT: 'TimedOut',
  TERMINATED: 'Terminated',
};

/**
 * Reads the windows of a range, newest first. The last ones are left out if there are too many.
 * @throws TemporalError
 */
export async function* readWindows(
  temporal: Pick<TemporalClient, 'list'>,
  namespaces: readonly string[],
  query: Pick<DiscoveryQuery, 'status' | 'scheduleId'>,
  range: StartRange,
): AsyncGenerator<VisibilityWindow> {
  let { to } = range;
  let windowMs = FIRST_WINDOW_MS;
  for (let windows = 0; windows < MAX_WINDOWS && to > range.from; windows += 1) {
    const from = Math.max(range.from, to - windowMs);
    const filter = filterOf(query, { from, to });
    const lists = await Promise.all(
      namespaces.map(async (namespace) => {
        const runs = await temporal.list({ namespace, query: filter, limit: MAX_RUNS });
        return runs.map((run) => ({ ...run, namespace }));
      }),
    );
    if (windowMs > 1 && lists.some(({ length }) => length >= MAX_RUNS)) {
      windowMs = Math.ceil(windowMs / (GROWTH * 2));
      continue;
    }
    yield { from, to, runs: lists.flat() };
    to = from;
    windowMs *= GROWTH;
  }
}

function filterOf({ status, scheduleId }: DiscoveryFilter, { from, to }: StartRange): string {
  return [
    `StartTime <= ${quote(new Date(to).toISOString())}`,
    `StartTime > ${quote(new Date(from).toISOString())}`,
    ...(status ? [`ExecutionStatus = ${quote(STATUS_NAMES[status])}`] : []),
    ...(scheduleId !== undefined ? [`TemporalScheduledById = ${quote(scheduleId)}`] : []),
  ].join(' AND ');
}

type DiscoveryFilter = Pick<DiscoveryQuery, 'status' | 'scheduleId'>;
