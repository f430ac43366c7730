// The requests to Temporal's API, and what of the responses is used.
import type { Connection } from '@temporalio/client';
import { failureMessage } from '../shared/failure.ts';
import { CLOSE_EVENT_FILTER, toMs } from '../shared/history-event.ts';
import { summaryOf, taskIdOf } from './display-names.ts';
import { decodeFailures } from './encoded-failures.ts';
import type { RemoteCodec } from './remote-codec.ts';
import type {
  HistoryPage,
  HistoryRequest,
  PendingRetry,
  WorkflowRef,
  WorkflowRun,
} from './temporal-client.ts';

/** A worker polls for up to a minute, and the server notes when a poll began. */
const POLLED_WITHIN_MS = 75_000;

// Temporal's TaskQueueType.
const WORKFLOW_TASKS = 1;

// Temporal's ContinueAsNewInitiator.
const CONTINUED_AS_NEW = 1;

// Temporal's WorkflowExecutionStatus.
const RUNNING = 1;
const PAUSED = 8;

export async function describeRun({ workflowService }: Connection, ref: WorkflowRef): Promise<WorkflowRun> {
  const { namespace, workflowId } = ref;
  const { workflowExecutionInfo } = await workflowService.describeWorkflowExecution({
    namespace,
    execution: { workflowId, runId: ref.runId ?? '' },
  });
  const info = workflowExecutionInfo ?? {};
  const runId = info.execution?.runId ?? '';
  const { history } = await workflowService.getWorkflowExecutionHistory({
    namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const first = history?.events?.[0] ?? {};
  const started = first.workflowExecutionStartedEventAttributes ?? {};
  const isParentHere = (started.parentWorkflowNamespace || namespace) === namespace;
  return {
    ...ref,
    runId,
    firstRunId: started.firstExecutionRunId || runId,
    continues:
      started.initiator === CONTINUED_AS_NEW ? started.continuedExecutionRunId || undefined : undefined,
    workflowType: info.type?.name ?? '',
    taskQueue: started.taskQueue?.name ?? '',
    parentId: (isParentHere && started.parentWorkflowExecution?.workflowId) || undefined,
    summary: summaryOf(first),
    attempt: Math.max(1, started.attempt ?? 1),
    startedAt: toMs(info.startTime),
    isOpen: info.status === RUNNING || info.status === PAUSED,
    historyLength: Number(info.historyLength ?? 0),
  };
}

export async function hasPoller({ workflowService }: Connection, run: WorkflowRun): Promise<boolean> {
  const { pollers } = await workflowService.describeTaskQueue({
    namespace: run.namespace,
    taskQueue: { name: run.taskQueue },
    taskQueueType: WORKFLOW_TASKS,
  });
  const since = Date.now() - POLLED_WITHIN_MS;
  return (pollers ?? []).some(({ lastAccessTime }) => toMs(lastAccessTime) > since);
}

export async function pendingRetries(
  { workflowService }: Connection,
  run: WorkflowRef,
  codec: RemoteCodec,
): Promise<PendingRetry[]> {
  const { pendingActivities } = await workflowService.describeWorkflowExecution({
    namespace: run.namespace,
    execution: { workflowId: run.workflowId, runId: run.runId ?? '' },
  });
  await decodeFailures(pendingActivities ?? [], (payloads) => codec(run.namespace, payloads));
  return (pendingActivities ?? []).flatMap(({ activityType, activityId, attempt, lastFailure }) => {
    if (!lastFailure || !attempt) return [];
    return {
      taskId: taskIdOf(activityType?.name, activityId),
      attempt,
      message: failureMessage(lastFailure),
    };
  });
}

export async function readHistory(
  { workflowService }: Connection,
  request: HistoryRequest,
  codec: RemoteCodec,
): Promise<HistoryPage> {
  const { run, from, isCloseOnly, isWaiting, limit } = request;
  const { history, nextPageToken } = await workflowService.getWorkflowExecutionHistory({
    namespace: run.namespace,
    execution: { workflowId: run.workflowId, runId: run.runId ?? '' },
    waitNewEvent: isWaiting ?? false,
    ...(isCloseOnly && { historyEventFilterType: CLOSE_EVENT_FILTER }),
    ...(from && { nextPageToken: from }),
    ...(limit && { maximumPageSize: limit }),
  });
  const events = history?.events ?? [];
  await decodeFailures(events, (payloads) => codec(run.namespace, payloads));
  return { events, next: nextPageToken?.length ? nextPageToken : undefined };
}
