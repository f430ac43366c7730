// The state of watching one run by its query. It decides when to query and what a failure means; it does no I/O.
//
// A workflow emits events only in its workflow tasks. So the log is up to date if a response, or an event of the worker's
// sink, covers every completed task that the history shows.
import type { WorkflowEnd } from '../row-end.ts';
import { type HistoryEvent, toMs } from '../shared/history-event.ts';
import type { TemporalCondition } from './errors.ts';

/**
 * - `unstarted`: no workflow task was scheduled yet (a delayed start, a retry or a cron run that waits), so there is
 *   nothing to query
 * - `polling`: the run is open
 * - `closed`: the close event was read; the run is queried until its events are complete, or cannot be had
 */
export type QueryPhase = 'unstarted' | 'polling' | 'closed';

/** What to do after a failed query: try again, read the history instead, or end the workflow without its last events. */
export type FailureAction = 'retry' | 'use-history' | 'give-up';

/**
 * What new events of the history mean for the query: a task that no query in flight covers, the end of a pause, or a task
 * without a worker.
 */
export type HistoryNews = 'task-completed' | 'unpaused' | 'task-scheduled' | undefined;

export interface QueryProgress {
  readonly phase: QueryPhase;
  /** Whether the run has responded to the query, now or to an earlier watcher. */
  readonly hasResponded: boolean;
  /** Consecutive failed queries in this phase. */
  readonly failures: number;
  /** Whether the run may have emitted events that no response covers. */
  readonly isBehind: boolean;
  /** Whether the log will be up to date once the query in flight has a response, and that has been copied. */
  readonly isQueryCurrent: boolean;
  /** Whether the cause of a failed query may be gone: a task was completed, or a pause has ended, since it was sent. */
  readonly isRecovered: boolean;
  /** The terminal event of the last response; undefined if a workflow task has failed since: it may be void. */
  readonly end: WorkflowEnd | undefined;
  /** Whether the run has responded within this time, in ms. */
  hasRespondedWithin(ms: number): boolean;
  /** Takes in new events of the history. */
  observe(events: readonly HistoryEvent[]): HistoryNews;
  /**
   * The run has closed.
   * @param needsEnd whether it ended itself: its terminal event is then missing, even if the sink appended the rest
   */
  close(needsEnd: boolean): void;
  /**
   * A query is sent. Its response covers the tasks that are completed, and the one in progress: Temporal responds once
   * that is completed.
   */
  startQuery(): void;
  /** A response from before the watch is used: it covers the tasks of the history before. */
  startKnown(): void;
  /** The run responded. */
  recordResponse(): void;
  /**
   * Everything that the last query covers is in the log.
   * @param end the terminal event, which is not
   */
  recordCaughtUp(end: WorkflowEnd | undefined): void;
  /**
   * The sink of the worker appended an event. The log then has everything before it, too: it has no gaps.
   * @param ts of the event: when its workflow task started
   * @returns whether the log is up to date
   */
  recordSink(ts: string): boolean;
  recordFailure(condition: TemporalCondition): FailureAction;
}

export interface QueryProgressOptions {
  readonly isOpen: boolean;
  /** The number of events that the history had before the first query. */
  readonly historyLength: number;
  /** Whether the run is known to respond: then a worker that has no handler for the query is at fault. */
  readonly hasResponded: boolean;
  /** Whether `observe` gets the close event alone. A closed run is then always queried once more. */
  readonly isCloseOnly: boolean;
}

/** Whether the workflow responded, with something that is of no use. */
function isHandlerFailure(condition: TemporalCondition): boolean {
  return condition === 'query-failed' || condition === 'undecodable';
}

export function createQueryProgress(options: QueryProgressOptions): QueryProgress {
  const { isOpen, historyLength, isCloseOnly } = options;
  let phase: QueryPhase = historyLength > 1 ? 'polling' : 'unstarted';
  let hasResponded = options.hasResponded;
  let failures = 0;
  /** The last completed task: its event's id, and when it started, in ms. Tasks that are not observed count as one. */
  let completedId = isCloseOnly ? Number.POSITIVE_INFINITY : isOpen ? 0 : 1;
  let completedStartedAt = Number.POSITIVE_INFINITY;
  let startedAt = Number.POSITIVE_INFINITY;
  /** The id of the last event that the last query covers, and the last one that was successful. */
  let queriedId = 0;
  let coveredId = 0;
  let isCaughtUp = false;
  let isTaskInProgress = false;
  /** Whether the last query covers the task in progress. */
  let coversNext = false;
  /** When the task started whose events the sink appended last, in ms. */
  let sinkAt = Number.NEGATIVE_INFINITY;
  let countsSink = true;
  let respondedAt = Number.NEGATIVE_INFINITY;
  let end: WorkflowEnd | undefined;
  /** Whether a task has failed since the last query was sent. */
  let hasFailedTask = false;
  let isRecovered = false;

  const isCovered = (id: number) => completedId <= id || (countsSink && sinkAt >= completedStartedAt);

  /** Whether an event that the last query does not cover ends a pause. */
  const isUnpause = (event: HistoryEvent) =>
    Boolean(event.workflowExecutionUnpausedEventAttributes) && Number(event.eventId) > queriedId;

  function observeTask(event: HistoryEvent): void {
    isRecovered ||= isUnpause(event);
    if (event.workflowTaskScheduledEventAttributes) {
      isTaskInProgress = true;
      if (phase === 'unstarted') phase = 'polling';
    } else if (event.workflowTaskStartedEventAttributes) {
      startedAt = toMs(event.eventTime);
    } else if (event.workflowTaskFailedEventAttributes || event.workflowTaskTimedOutEventAttributes) {
      hasFailedTask = true;
      isTaskInProgress = false;
      coversNext = false;
    } else if (event.workflowTaskCompletedEventAttributes) {
      completedId = Math.max(completedId, Number(event.eventId));
      completedStartedAt = startedAt;
      isTaskInProgress = false;
      isRecovered ||= completedId > queriedId;
      if (coversNext) queriedId = Math.max(queriedId, completedId);
      if (coversNext && isCaughtUp) coveredId = queriedId;
      coversNext = false;
    }
  }

  return {
    get phase() {
      return phase;
    },
    get hasResponded() {
      return hasResponded;
    },
    get failures() {
      return failures;
    },
    get isBehind() {
      return !hasResponded || !isCovered(coveredId);
    },
    get isQueryCurrent() {
      return isCovered(queriedId);
    },
    get isRecovered() {
      return isRecovered;
    },
    get end() {
      return hasFailedTask ? undefined : end;
    },
    hasRespondedWithin: (ms) => performance.now() - respondedAt < ms,
    observe(events) {
      const isUnpaused = events.some(isUnpause);
      for (const event of events) observeTask(event);
      const hasCompleted = events.some((event) => event.workflowTaskCompletedEventAttributes);
      if (hasCompleted && !isCovered(queriedId)) return 'task-completed';
      if (isUnpaused) return 'unpaused';
      return events.at(-1)?.workflowTaskScheduledEventAttributes ? 'task-scheduled' : undefined;
    },
    close(needsEnd) {
      phase = 'closed';
      countsSink = !needsEnd;
      failures = 0;
    },
    startQuery() {
      hasFailedTask = false;
      isRecovered = false;
      end = undefined;
      isCaughtUp = false;
      coversNext = isTaskInProgress;
      queriedId = isCloseOnly ? 0 : Math.max(historyLength, completedId);
    },
    startKnown() {
      hasFailedTask = false;
      end = undefined;
      isCaughtUp = false;
      coversNext = false;
      queriedId = isCloseOnly ? 0 : historyLength;
    },
    recordResponse() {
      hasResponded = true;
      respondedAt = performance.now();
    },
    recordCaughtUp(terminal) {
      coveredId = queriedId;
      isCaughtUp = true;
      end = terminal;
      failures = 0;
    },
    recordSink(ts) {
      sinkAt = Math.max(sinkAt, Date.parse(ts));
      return isCovered(queriedId);
    },
    recordFailure(condition) {
      coversNext = false;
      if (condition === 'no-query' && !hasResponded) return 'use-history';
      failures += 1;
      respondedAt = Number.NEGATIVE_INFINITY;
      if (phase !== 'closed') return 'retry';
      // Trying again would not help: no worker polls for the workflow, or its handler fails.
      const isLasting =
        condition === 'no-worker' ||
        condition === 'not-ready' ||
        (isHandlerFailure(condition) && failures > 1);
      return isLasting || isCovered(coveredId) ? 'give-up' : 'retry';
    },
  };
}
