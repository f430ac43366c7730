// The requests to Temporal's API, and what of the responses is used.
import { CLOSE_EVENT_FILTER, toMs } from '../shared/history-event.ts';
import type { Payload } from '../shared/payloads.ts';
import type { Codec } from './codec.ts';
import { summaryOf } from './display-names.ts';
import { decodeFailures } from './encoded-failures.ts';
import { decodeUserMetadata } from './encoded-metadata.ts';
import type { Connection } from './grpc-connection.ts';
import { statusOf } from './grpc-visibility.ts';
import { pendingTasksOf } from './pending-tasks.ts';
import type {
  HistoryPage,
  HistoryRequest,
  PendingTask,
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

/** What `describe` reports of a run; it changes while the run is open. */
export type RunState = Pick<
  WorkflowRun,
  'runId' | 'workflowType' | 'startedAt' | 'closedAt' | 'isOpen' | 'status' | 'historyLength'
>;

/** What the first event of a run reports; it never changes. */
export type RunStart = Pick<
  WorkflowRun,
  'firstRunId' | 'continues' | 'taskQueue' | 'parentId' | 'summary' | 'attempt'
>;

export async function describeRun({ workflowService }: Connection, ref: WorkflowRef): Promise<RunState> {
  const { workflowExecutionInfo } = await workflowService.describeWorkflowExecution({
    namespace: ref.namespace,
    execution: { workflowId: ref.workflowId, runId: ref.runId ?? '' },
  });
  const info = workflowExecutionInfo ?? {};
  return {
    runId: info.execution?.runId ?? '',
    workflowType: info.type?.name ?? '',
    startedAt: toMs(info.startTime),
    closedAt: info.closeTime ? toMs(info.closeTime) : undefined,
    isOpen: info.status === RUNNING || info.status === PAUSED,
    status: statusOf(info.status),
    historyLength: Number(info.historyLength ?? 0),
  };
}

export async function readStart(
  { workflowService }: Connection,
  { namespace, workflowId, runId }: WorkflowRef & { readonly runId: string },
  codec: Codec,
): Promise<RunStart> {
  const { history } = await workflowService.getWorkflowExecutionHistory({
    namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const first = history?.events?.[0] ?? {};
  // The summary is a name for people: without it the type is shown.
  await decodeUserMetadata([first], (payloads) => codec(namespace, payloads)).catch(() => {});
  const started = first.workflowExecutionStartedEventAttributes ?? {};
  const isParentHere = (started.parentWorkflowNamespace || namespace) === namespace;
  return {
    firstRunId: started.firstExecutionRunId || runId,
    continues:
      started.initiator === CONTINUED_AS_NEW ? started.continuedExecutionRunId || undefined : undefined,
    taskQueue: started.taskQueue?.name ?? '',
    parentId: (isParentHere && started.parentWorkflowExecution?.workflowId) || undefined,
    summary: summaryOf(first),
    attempt: Math.max(1, started.attempt ?? 1),
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

export async function describePendingTasks(
  { workflowService }: Connection,
  { namespace, workflowId, runId }: WorkflowRef,
): Promise<PendingTask[]> {
  const execution = { workflowId, runId: runId ?? '' };
  return pendingTasksOf(await workflowService.describeWorkflowExecution({ namespace, execution }));
}

export async function readHistory(
  { workflowService }: Connection,
  request: HistoryRequest,
  codec: Codec,
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
  const decode = (payloads: readonly Payload[]) => codec(run.namespace, payloads);
  await Promise.all([decodeFailures(events, decode), decodeUserMetadata(events, decode)]);
  return { events, next: nextPageToken?.length ? nextPageToken : undefined };
}
