// Reads Temporal's visibility in windows of start times, from newer to older ones. Temporal orders by close time, lists by
// start, and no order can be requested from all of its databases.
import type { ExecutionStatus } from '../../event/events.ts';
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

/** What runs are selected by, beside their start. */
export interface VisibilityFilter {
  readonly status?: ExecutionStatus | undefined;
  readonly scheduleId?: string | undefined;
  readonly workflowType?: string | undefined;
  readonly parentWorkflowId?: string | undefined;
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
  filter: VisibilityFilter,
  range: StartRange,
): AsyncGenerator<VisibilityWindow> {
  let { to } = range;
  let windowMs = FIRST_WINDOW_MS;
  for (let windows = 0; windows < MAX_WINDOWS && to > range.from; windows += 1) {
    const from = Math.max(range.from, to - windowMs);
    const query = queryOf(filter, { from, to });
    const lists = await Promise.all(
      namespaces.map(async (namespace) => {
        const runs = await temporal.list({ namespace, query, limit: MAX_RUNS });
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

function queryOf(filter: VisibilityFilter, { from, to }: StartRange): string {
  const { status, scheduleId, workflowType, parentWorkflowId } = filter;
  return [
    `StartTime <= ${quote(new Date(to).toISOString())}`,
    `StartTime > ${quote(new Date(from).toISOString())}`,
    ...(status ? [`ExecutionStatus = ${quote(STATUS_NAMES[status])}`] : []),
    ...(scheduleId !== undefined ? [`TemporalScheduledById = ${quote(scheduleId)}`] : []),
    ...(workflowType !== undefined ? [`WorkflowType = ${quote(workflowType)}`] : []),
    ...(parentWorkflowId !== undefined ? [`ParentWorkflowId = ${quote(parentWorkflowId)}`] : []),
  ].join(' AND ');
}
