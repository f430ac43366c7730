// The history of a workflow that knows nothing of us, as events of a stream.
//
// Invariants
// 1. Each event of the history gives one event of the stream or none, by what stands in the history up to it alone:
//    whoever reads a history from its first event numbers it alike, without gaps.
// 2. No payload is shown here: inputs and results of activities, signals and children may be secret. Names, types,
//    attempts and the messages of failures are shown.
import { isExecstreamError } from '../../event/errors.ts';
import type { EventData, EventType, ExecutionStatus } from '../../event/events.ts';
import { checkExecutionId } from '../../event/execution-id.ts';
import { type Failure, failureMessage } from '../shared/failure.ts';
import { cutName, taskIdOf } from './display-names.ts';
import type { HistoryEvent, WorkflowRun } from './temporal-client.ts';

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
 * Makes the reader of one run's history, which is given every event from the first, in order.
 * @param isContinued whether the run goes on from one whose events stand before in the same stream.
 * @returns what an event tells; undefined for one that tells nothing to a viewer. Close events are not told here.
 */
export function createHistoryReader(run: WorkflowRun, isContinued: boolean) {
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
      // An activity that is retried has this written once it is over: its last attempt, and why the one before failed.
      const attempt = started.attempt ?? 1;
      const why = started.lastFailure ? `, after: ${failureMessage(started.lastFailure)}` : '';
      return status(activities, started, 'RUNNING', attempt > 1 ? `attempt ${attempt}${why}` : undefined);
    }
    const done = event.activityTaskCompletedEventAttributes;
    if (done) return status(activities, done, 'SUCCESS');
    const failed = event.activityTaskFailedEventAttributes;
    if (failed) return status(activities, failed, 'FAILED', failureMessage(failed.failure));
    const late = event.activityTaskTimedOutEventAttributes;
    if (late) return status(activities, late, 'TIMED_OUT', failureMessage(late.failure));
    const canceled = event.activityTaskCanceledEventAttributes;
    return canceled ? status(activities, canceled, 'CANCELED') : undefined;
  }

  function child(event: HistoryEvent): UnnumberedEvent | undefined {
    const initiated = event.startChildWorkflowExecutionInitiatedEventAttributes;
    if (initiated) {
      const { workflowId } = initiated;
      const taskId = cutName(`${initiated.workflowType?.name ?? 'workflow'}#${workflowId ?? ''}`);
      const task = { taskId, ...executionIdOf(workflowId) };
      children.set(String(event.eventId), task);
      return { type: 'task_start', data: task };
    }
    const refused = event.startChildWorkflowExecutionFailedEventAttributes;
    if (refused) return status(children, refused, 'FAILED', 'the child workflow could not be started');
    const started = event.childWorkflowExecutionStartedEventAttributes;
    if (started) return status(children, started, 'RUNNING');
    const done = event.childWorkflowExecutionCompletedEventAttributes;
    if (done) return status(children, done, 'SUCCESS');
    const failed = event.childWorkflowExecutionFailedEventAttributes;
    if (failed) return status(children, failed, 'FAILED', failureMessage(failed.failure));
    const late = event.childWorkflowExecutionTimedOutEventAttributes;
    if (late) return status(children, late, 'TIMED_OUT');
    const over = event.childWorkflowExecutionTerminatedEventAttributes;
    if (over) return status(children, over, 'TERMINATED');
    const canceled = event.childWorkflowExecutionCanceledEventAttributes;
    return canceled ? status(children, canceled, 'CANCELED') : undefined;
  }

  function own(event: HistoryEvent): UnnumberedEvent | undefined {
    if (event.workflowExecutionStartedEventAttributes && !isContinued) {
      const { workflowId, workflowType, runId } = run;
      return { type: 'workflow_start', data: { workflowId, workflowType, runId } };
    }
    const signaled = event.workflowExecutionSignaledEventAttributes;
    if (signaled) return step(`signal ${signaled.signalName ?? ''}`);
    const updated = event.workflowExecutionUpdateAcceptedEventAttributes;
    if (updated) return step(`update ${updated.acceptedRequest?.input?.name ?? ''}`);
    if (event.workflowExecutionCancelRequestedEventAttributes) return step('cancellation requested');
    const set = event.timerStartedEventAttributes;
    if (set) {
      const seconds =
        Number(set.startToFireTimeout?.seconds ?? 0) + (set.startToFireTimeout?.nanos ?? 0) / 1e9;
      const name = `timer ${set.timerId ?? ''} (${Number(seconds.toFixed(3))} s)`;
      timers.set(String(event.eventId), name);
      return step(name);
    }
    const fired = event.timerFiredEventAttributes;
    if (fired) return step(`${timers.get(String(fired.startedEventId)) ?? 'timer'} fired`);
    const stopped = event.timerCanceledEventAttributes;
    if (stopped) return step(`${timers.get(String(stopped.startedEventId)) ?? 'timer'} cancelled`);
    const stuck = event.workflowTaskFailedEventAttributes;
    // A reset, which is told by itself, is written as a failed task without a message.
    if (!stuck?.failure?.message || stuck.newRunId) return undefined;
    return {
      type: 'warning',
      data: { code: 'WORKFLOW_TASK_FAILED', message: failureMessage(stuck.failure) },
    };
  }

  return (event: HistoryEvent): UnnumberedEvent | undefined => activity(event) ?? child(event) ?? own(event);
}

/** Where a task of the run stands; undefined for one whose beginning is unknown. */
function status(
  tasks: ReadonlyMap<string, Task>,
  attributes: Attributes,
  is: ExecutionStatus,
  why?: string,
): UnnumberedEvent | undefined {
  const { scheduledEventId, initiatedEventId } = attributes;
  const task = tasks.get(String(scheduledEventId ?? initiatedEventId));
  if (!task) return undefined;
  return { type: 'task_status', data: { status: is, ...(why !== undefined && { step: why }), ...task } };
}

function step(name: string): UnnumberedEvent {
  return { type: 'workflow_status', data: { status: 'RUNNING', step: cutName(name) } };
}

/** A child is watched under its workflow id, where that can be an execution's. */
function executionIdOf(workflowId: string | null | undefined): { executionId?: string } {
  try {
    return { executionId: checkExecutionId(workflowId ?? '') };
  } catch (error) {
    if (isExecstreamError(error)) return {};
    throw error;
  }
}
