// What `describe` reports of the activities and Nexus operations of a run that are in flight.
import type { temporal } from '@temporalio/proto';
import { toMs } from '../shared/history-event.ts';
import { displayName, taskIdOf } from './display-names.ts';
import type { PendingTask } from './temporal-client.ts';

type Description = temporal.api.workflowservice.v1.DescribeWorkflowExecutionResponse.$Properties;
type Activity = temporal.api.workflow.v1.PendingActivityInfo.$Properties;
type Operation = temporal.api.workflow.v1.PendingNexusOperationInfo.$Properties;

// Temporal's PendingActivityState.
const STARTED = 2;
const CANCEL_REQUESTED = 3;
const PAUSED = 4;
const PAUSE_REQUESTED = 5;

// Temporal's PendingNexusOperationState.
const OPERATION_SCHEDULED = 1;
const OPERATION_BACKING_OFF = 2;
const OPERATION_BLOCKED = 4;

/** The tasks in flight. Temporal has up to 2,000 of each kind for a run. */
export function pendingTasksOf({ pendingActivities, pendingNexusOperations }: Description): PendingTask[] {
  const operations = (pendingNexusOperations ?? []).map(taskOfOperation);
  return [
    ...(pendingActivities ?? []).map(taskOfActivity),
    ...operations.filter((task) => task !== undefined),
  ];
}

function taskOfActivity(activity: Activity): PendingTask {
  const { activityType, activityId, attempt, lastFailure, heartbeatDetails, lastHeartbeatTime } = activity;
  return {
    taskId: taskIdOf(activityType?.name, activityId),
    ...statusOfActivity(activity),
    attempt: Math.max(1, attempt ?? 1),
    failure: lastFailure ?? undefined,
    details: heartbeatDetails?.payloads ?? [],
    heartbeatAt: toMs(lastHeartbeatTime),
  };
}

type Status = Pick<PendingTask, 'status' | 'nextAttemptAt' | 'note'>;

function statusOfActivity(activity: Activity): Status {
  const status = (name: Status['status'], note?: string): Status => ({
    status: name,
    nextAttemptAt: undefined,
    note,
  });
  switch (activity.state) {
    case STARTED:
      return status('RUNNING');
    case CANCEL_REQUESTED:
      return status('RUNNING', 'cancellation requested');
    case PAUSE_REQUESTED:
      return status('RUNNING', ['pause requested', pauseReason(activity)].filter(Boolean).join(': '));
    case PAUSED:
      return status('PAUSED', pauseReason(activity));
    default:
      if (activity.paused) return status('PAUSED', pauseReason(activity));
      return waitUntil(activity.nextAttemptScheduleTime) ?? status('PENDING');
  }
}

function pauseReason({ pauseInfo }: Activity): string | undefined {
  const reason = pauseInfo?.manual?.reason || pauseInfo?.rule?.reason;
  return reason ? displayName(reason) : undefined;
}

function waitUntil(time: Activity['nextAttemptScheduleTime'], note?: string): Status | undefined {
  const nextAttemptAt = toMs(time);
  return nextAttemptAt > 0 ? { status: 'WAITING', nextAttemptAt, note } : undefined;
}

/** The history has the start of an operation, so only its attempts to start are of interest. */
function taskOfOperation(operation: Operation): PendingTask | undefined {
  const status = statusOfOperation(operation);
  if (!status) return undefined;
  const { service, operation: name, scheduledEventId, state, attempt, lastAttemptFailure } = operation;
  // Temporal counts an attempt when it begins.
  const attempts = (attempt ?? 0) + (state === OPERATION_BACKING_OFF ? 1 : 0);
  return {
    taskId: taskIdOf(`${service}.${name}`, String(scheduledEventId)),
    ...status,
    attempt: Math.max(1, attempts),
    failure: lastAttemptFailure ?? undefined,
    details: [],
    heartbeatAt: 0,
  };
}

function statusOfOperation(operation: Operation): Status | undefined {
  const { state, lastAttemptFailure, nextAttemptScheduleTime, blockedReason } = operation;
  const pending: Status = { status: 'PENDING', nextAttemptAt: undefined, note: undefined };
  switch (state) {
    case OPERATION_SCHEDULED:
      // The first attempt of most operations is over within ms.
      return lastAttemptFailure ? pending : undefined;
    case OPERATION_BACKING_OFF:
      return waitUntil(nextAttemptScheduleTime) ?? pending;
    case OPERATION_BLOCKED: {
      const note = ['blocked', blockedReason && displayName(blockedReason)].filter(Boolean).join(': ');
      return waitUntil(nextAttemptScheduleTime, note) ?? { ...pending, status: 'WAITING', note };
    }
    default:
      return undefined;
  }
}
