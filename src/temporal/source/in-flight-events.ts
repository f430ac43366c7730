// What viewers see of a task in flight: its status, and a warning for an attempt that failed.
//
// The data of a status depends only on what Temporal reports of the task, so that any watcher recognises what an earlier
// one has appended.
import { type EventData, type JsonValue, type NewEvent, timestamp } from '../../event/events.ts';
import { jsonEquals } from '../../event/json-equals.ts';
import { failureMessage } from '../shared/failure.ts';
import { attemptStep } from './display-names.ts';
import type { PendingTask } from './temporal-client.ts';

type TaskStatus = EventData['task_status'];

/** What a task reported of its progress. */
export type Progress = Pick<TaskStatus, 'progress' | 'progressOmitted' | 'progressBytes'>;

/** The status of a task. */
export function inFlightStatus(task: PendingTask, progress: Progress = {}): TaskStatus {
  const { taskId, status, attempt, nextAttemptAt, failure, note } = task;
  const step = [note, attemptStep(attempt, failure)].filter(Boolean).join('; ');
  return {
    status,
    ...(step && { step }),
    taskId,
    taskAttempt: attempt,
    ...(nextAttemptAt !== undefined && { nextAttemptAt: timestamp(new Date(nextAttemptAt)) }),
    ...progress,
  };
}

/**
 * The events for a new status of a task.
 * @param shownAttempt the attempt that viewers know of
 */
export function inFlightEvents(task: PendingTask, status: TaskStatus, shownAttempt: number): NewEvent[] {
  const ts = timestamp();
  const event: NewEvent = { type: 'task_status', ts, data: status };
  const { taskId, attempt, failure } = task;
  // Of several attempts that failed since the last status, Temporal reports the last one.
  if (attempt <= shownAttempt || !failure) return [event];
  const message = `${taskId}, attempt ${attempt - 1}: ${failureMessage(failure)}; ${followUp(status)}`;
  return [{ type: 'warning', ts, data: { code: 'ATTEMPT_FAILED', message } }, event];
}

function followUp({ status, nextAttemptAt }: TaskStatus): string {
  if (status === 'PAUSED') return 'paused';
  return nextAttemptAt ? `retrying at ${nextAttemptAt}` : 'retrying';
}

/** Whether viewers know a status. One without progress, which may be unknown now, does not differ by that. */
export function isShown(status: TaskStatus, shown: TaskStatus | undefined): boolean {
  if (!shown) return false;
  const { progress, progressOmitted, progressBytes, ...known } = shown;
  const isUnknown = status.progress === undefined && !status.progressOmitted;
  return jsonEquals(status as JsonValue, (isUnknown ? known : shown) as JsonValue);
}
