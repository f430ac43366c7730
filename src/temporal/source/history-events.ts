// The history of a workflow that does not use execstream, as events of a stream.
//
// Invariants
// 1. Each event of the history maps to one event of the stream or none, depending only on the history up to it: every
//    reader that starts at the first event numbers the events identically, without gaps. So the texts here are stable.
// 2. No payload is shown here: inputs and results of activities, signals and children may be secret. Names, types,
//    attempts and the messages of failures are shown.
import { isExecstreamError } from '../../event/errors.ts';
import { type EventData, type EventType, type ExecutionStatus, timestamp } from '../../event/events.ts';
import { checkExecutionId } from '../../event/execution-id.ts';
import type { CloseEvent } from '../shared/close-event.ts';
import { type Failure, failureMessage } from '../shared/failure.ts';
import { type HistoryEvent, toMs } from '../shared/history-event.ts';
import { displayName, taskIdOf } from './display-names.ts';
import type { WorkflowRun } from './temporal-client.ts';

/** An event without its seq and time. */
export type UnnumberedEvent = {
  [T in EventType]: { readonly type: T; readonly data: EventData[T] };
}[EventType];

interface Task {
  readonly taskId: string;
  readonly executionId?: string;
}

type Attributes = {
  readonly scheduledEventId?: unknown;
  readonly initiatedEventId?: unknown;
  readonly failure?: Failure | null;
};

/**
 * Creates the mapper of one run's history. Pass it every event from the first, in order.
 * @param isContinued whether the run continues one whose events precede it in the same stream.
 * @returns a function that maps an event; undefined for one that viewers do not see, and for close events.
 */
export function createHistoryMapper(run: WorkflowRun, isContinued: boolean) {
  const activities = new Map<string, Task>();
  const children = new Map<string, Task>();
  const timers = new Map<string, string>();

  function activity(event: HistoryEvent): UnnumberedEvent | undefined {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) {
      const taskId = taskIdOf(scheduled.activityType?.name, scheduled.activityId);
      activities.set(String(event.eventId), { taskId });
      return { type: 'task_start', data: { taskId } };
    }
    const started = event.activityTaskStartedEventAttributes;
    if (started) {
      // A retried activity has this event once it is over: its last attempt, and why the attempt before failed.
      const attempt = started.attempt ?? 1;
      const reason = started.lastFailure ? `, after: ${failureMessage(started.lastFailure)}` : '';
      return status(activities, started, 'RUNNING', attempt > 1 ? `attempt ${attempt}${reason}` : undefined);
    }
    const completed = event.activityTaskCompletedEventAttributes;
    if (completed) return status(activities, completed, 'SUCCESS');
    const failed = event.activityTaskFailedEventAttributes;
    if (failed) return status(activities, failed, 'FAILED', failureMessage(failed.failure));
    const timedOut = event.activityTaskTimedOutEventAttributes;
    if (timedOut) return status(activities, timedOut, 'TIMED_OUT', failureMessage(timedOut.failure));
    const canceled = event.activityTaskCanceledEventAttributes;
    return canceled ? status(activities, canceled, 'CANCELED') : undefined;
  }

  function child(event: HistoryEvent): UnnumberedEvent | undefined {
    const initiated = event.startChildWorkflowExecutionInitiatedEventAttributes;
    if (initiated) {
      const { workflowId } = initiated;
      const taskId = displayName(`${initiated.workflowType?.name ?? 'workflow'}#${workflowId ?? ''}`);
      const task = { taskId, ...executionIdOf(workflowId) };
      children.set(String(event.eventId), task);
      return { type: 'task_start', data: task };
    }
    const notStarted = event.startChildWorkflowExecutionFailedEventAttributes;
    if (notStarted) return status(children, notStarted, 'FAILED', 'the child workflow could not be started');
    const started = event.childWorkflowExecutionStartedEventAttributes;
    if (started) return status(children, started, 'RUNNING');
    const completed = event.childWorkflowExecutionCompletedEventAttributes;
    if (completed) return status(children, completed, 'SUCCESS');
    const failed = event.childWorkflowExecutionFailedEventAttributes;
    if (failed) return status(children, failed, 'FAILED', failureMessage(failed.failure));
    const timedOut = event.childWorkflowExecutionTimedOutEventAttributes;
    if (timedOut) return status(children, timedOut, 'TIMED_OUT');
    const terminated = event.childWorkflowExecutionTerminatedEventAttributes;
    if (terminated) return status(children, terminated, 'TERMINATED');
    const canceled = event.childWorkflowExecutionCanceledEventAttributes;
    return canceled ? status(children, canceled, 'CANCELED') : undefined;
  }

  function workflow(event: HistoryEvent): UnnumberedEvent | undefined {
    if (event.workflowExecutionStartedEventAttributes && !isContinued) {
      const { workflowId, workflowType, runId } = run;
      return { type: 'workflow_start', data: { workflowId, workflowType, runId } };
    }
    const signaled = event.workflowExecutionSignaledEventAttributes;
    if (signaled) return step(`signal ${signaled.signalName ?? ''}`);
    const updated = event.workflowExecutionUpdateAcceptedEventAttributes;
    if (updated) return step(`update ${updated.acceptedRequest?.input?.name ?? ''}`);
    if (event.workflowExecutionCancelRequestedEventAttributes) return step('cancellation requested');
    const timer = event.timerStartedEventAttributes;
    if (timer) {
      const timeout = timer.startToFireTimeout;
      const seconds = Number(timeout?.seconds ?? 0) + (timeout?.nanos ?? 0) / 1e9;
      const name = `timer ${timer.timerId ?? ''} (${Number(seconds.toFixed(3))} s)`;
      timers.set(String(event.eventId), name);
      return step(name);
    }
    const fired = event.timerFiredEventAttributes;
    if (fired) return step(`${timers.get(String(fired.startedEventId)) ?? 'timer'} fired`);
    const canceled = event.timerCanceledEventAttributes;
    if (canceled) return step(`${timers.get(String(canceled.startedEventId)) ?? 'timer'} cancelled`);
    const failedTask = event.workflowTaskFailedEventAttributes;
    // A reset is recorded as a failed task without a message; the new run shows it.
    if (!failedTask?.failure?.message || failedTask.newRunId) return undefined;
    return warning('WORKFLOW_TASK_FAILED', failureMessage(failedTask.failure));
  }

  return (event: HistoryEvent): UnnumberedEvent | undefined =>
    activity(event) ?? child(event) ?? workflow(event);
}

/** The status of a task; undefined for a task whose start is not in the history. */
function status(
  tasks: ReadonlyMap<string, Task>,
  attributes: Attributes,
  to: ExecutionStatus,
  reason?: string,
): UnnumberedEvent | undefined {
  const { scheduledEventId, initiatedEventId } = attributes;
  const task = tasks.get(String(scheduledEventId ?? initiatedEventId));
  if (!task) return undefined;
  return {
    type: 'task_status',
    data: { status: to, ...(reason !== undefined && { step: reason }), ...task },
  };
}

function step(name: string): UnnumberedEvent {
  return { type: 'workflow_status', data: { status: 'RUNNING', step: displayName(name) } };
}

function warning(code: string, message: string): UnnumberedEvent {
  return { type: 'warning', data: { code, message } };
}

/** The event between a run that closed and the next one. */
export function continuationEvent({ status, message, continuation }: CloseEvent): UnnumberedEvent {
  if (status === 'CONTINUED') return step('continued as new');
  if (continuation === 'retried') return warning('ATTEMPT_FAILED', message || status);
  if (continuation === 'cron' && status !== 'SUCCESS') return warning('RUN_FAILED', message || status);
  return { type: 'workflow_status', data: { status: 'WAITING', step: 'next cron run' } };
}

/** The time of an event of a history. */
export function timeOf(event: HistoryEvent): string {
  return timestamp(new Date(toMs(event.eventTime)));
}

/** A child is watched under its workflow id, if that is a valid execution id. */
function executionIdOf(workflowId: string | null | undefined): { executionId?: string } {
  try {
    return { executionId: checkExecutionId(workflowId ?? '') };
  } catch (error) {
    if (isExecstreamError(error)) return {};
    throw error;
  }
}
