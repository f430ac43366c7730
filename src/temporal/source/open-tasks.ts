// The tasks of a run that are open according to the events in its log, and what viewers know of each.
//
// Invariants
// 1. Only events that are in the log are observed. So a task that is open here has not ended for any viewer.
// 2. Every event of the history about a task replaces its entry: a caller that compares the entry with the one before a
//    request detects that the response may be outdated.
import { type EventData, type ExecutionEvent, isFinal } from '../../event/events.ts';
import { type HistoryEvent, toMs } from '../shared/history-event.ts';
import type { WorkflowEvent } from '../shared/stream-query.ts';

/** What viewers know of an open task. Immutable. Times are in ms since 1970. */
export interface OpenTask {
  /** The position of its start. */
  readonly position: number;
  readonly scheduledAt: number;
  /** The attempt that was shown last, from 1. */
  readonly attempt: number;
  /** The status that was shown last; undefined if there is none, or if the history has had one since. */
  readonly shown: EventData['task_status'] | undefined;
  /** When a status, and when progress alone, was shown last; undefined if that is unknown. */
  readonly statusShownAt: number | undefined;
  readonly progressShownAt: number | undefined;
  /** What Temporal had reported of the status that was shown last, as a key to compare; undefined if that is unknown. */
  readonly statusKey: string | undefined;
  /** When the heartbeat arrived that was shown last, 0 for none; undefined if that is unknown. */
  readonly heartbeatAt: number | undefined;
}

const UNKNOWN = { shown: undefined, statusKey: undefined, heartbeatAt: undefined } as const;
const NOTHING_SHOWN = {
  ...{ ...UNKNOWN, attempt: 1, statusShownAt: undefined, progressShownAt: undefined },
} as const;

/** Activities, and Nexus operations that have not started, by their task id: those that were shown last come last. */
export class OpenTasks {
  readonly #tasks = new Map<string, OpenTask>();
  #lastPosition: number;

  /** @param base the position before the first event of the run */
  constructor(base: number) {
    this.#lastPosition = base;
  }

  /** The position of the last event that was observed. */
  get lastPosition(): number {
    return this.#lastPosition;
  }

  get entries(): ReadonlyMap<string, OpenTask> {
    return this.#tasks;
  }

  /** Takes in an event that is in the log, and the event of the history that it shows. */
  observe(source: HistoryEvent, { seq: position, type, data }: WorkflowEvent): void {
    this.#lastPosition = position;
    if (type === 'task_start' && isDescribed(source)) {
      const scheduledAt = toMs(source.eventTime);
      this.#tasks.set(data.taskId, { ...NOTHING_SHOWN, position, scheduledAt });
    }
    if (type !== 'task_status' || data.taskId === undefined) return;
    const task = this.#tasks.get(data.taskId);
    if (!task) return;
    const isOver = isFinal(data.status) || source.nexusOperationStartedEventAttributes;
    if (isOver) this.#tasks.delete(data.taskId);
    else this.#tasks.set(data.taskId, { ...task, ...UNKNOWN });
  }

  /** Notes how a task was shown. */
  show(taskId: string, task: OpenTask): void {
    this.#tasks.delete(taskId);
    this.#tasks.set(taskId, task);
  }

  /** Notes what an earlier watcher has shown: the events of the log since the first open task was started, in order. */
  restore(events: readonly ExecutionEvent[]): void {
    for (const { type, data } of events) {
      const taskId = (type === 'task_start' || type === 'task_status') && data.taskId;
      const task = taskId && this.#tasks.get(taskId);
      if (!task) continue;
      // A former task may have had the same id. Statuses of the history have no attempt.
      const status = type === 'task_status' ? data : undefined;
      const shown = status?.taskAttempt === undefined ? undefined : status;
      const attempt = status ? (status.taskAttempt ?? task.attempt) : 1;
      this.#tasks.set(taskId, { ...task, attempt, shown });
    }
  }
}

/** Whether `describe` reports the task of this event. Child workflows have their own streams. */
function isDescribed(event: HistoryEvent): boolean {
  return Boolean(event.activityTaskScheduledEventAttributes ?? event.nexusOperationScheduledEventAttributes);
}
