// The state of watching one run by its query. It decides when to query and what a failure means; it does no I/O.
//
// A workflow emits events only in its workflow tasks. So the log is up to date if a response covers every completed task
// that the history shows.
import type { HistoryEvent } from '../shared/history-event.ts';
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

/** What new events of the history mean for the query. */
export type HistoryNews = 'task-completed' | 'task-scheduled' | undefined;

/** The number of completed workflow tasks when a query was sent. */
export type TaskMark = number;

export interface QueryProgress {
  readonly phase: QueryPhase;
  /** Whether the run has responded to the query, now or to an earlier watcher. */
  readonly hasResponded: boolean;
  /** Consecutive failed queries in this phase. */
  readonly failures: number;
  /** Whether the run may have emitted events that no response covers. */
  readonly isBehind: boolean;
  /** Takes in new events of the history. */
  observe(events: readonly HistoryEvent[]): HistoryNews;
  /** The run has closed. */
  close(): void;
  /** Call before a query; returns what its response will cover. */
  startQuery(): TaskMark;
  /** The run responded. */
  recordResponse(): void;
  /** Everything that the workflow had emitted at this mark is in the log. */
  recordCaughtUp(mark: TaskMark): void;
  recordFailure(condition: TemporalCondition): FailureAction;
}

export interface QueryProgressOptions {
  readonly isOpen: boolean;
  readonly hasStarted: boolean;
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
  const { isOpen, isCloseOnly } = options;
  let phase: QueryPhase = options.hasStarted ? 'polling' : 'unstarted';
  let hasResponded = options.hasResponded;
  let failures = 0;
  // A run whose tasks are not observed counts as having one.
  let completedTasks = isCloseOnly || !isOpen ? 1 : 0;
  let coveredTasks = 0;

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
      return !hasResponded || coveredTasks < completedTasks;
    },
    observe(events) {
      const isScheduled = events.some((event) => event.workflowTaskScheduledEventAttributes);
      if (isScheduled && phase === 'unstarted') phase = 'polling';
      const completed = events.filter((event) => event.workflowTaskCompletedEventAttributes).length;
      completedTasks += completed;
      if (completed > 0) return 'task-completed';
      return events.at(-1)?.workflowTaskScheduledEventAttributes ? 'task-scheduled' : undefined;
    },
    close() {
      phase = 'closed';
      failures = 0;
    },
    startQuery: () => (isCloseOnly ? 0 : completedTasks),
    recordResponse() {
      hasResponded = true;
    },
    recordCaughtUp(mark) {
      coveredTasks = mark;
      failures = 0;
    },
    recordFailure(condition) {
      if (condition === 'no-query' && !hasResponded) return 'use-history';
      failures += 1;
      if (phase !== 'closed') return 'retry';
      // Trying again would not help: no worker polls for the workflow, or its handler fails.
      const isLasting =
        condition === 'no-worker' ||
        condition === 'not-ready' ||
        (isHandlerFailure(condition) && failures > 1);
      return isLasting || coveredTasks === completedTasks ? 'give-up' : 'retry';
    },
  };
}
