// The requests to Temporal's visibility: lists of runs that match a query.
import type { ExecutionStatus } from '../../event/events.ts';
import type { Connection } from './grpc-connection.ts';
import type { VisibilityRequest, VisibleRun } from './temporal-client.ts';

/** By Temporal's WorkflowExecutionStatus. A run that continued as new has succeeded. */
const STATUSES: readonly ExecutionStatus[] = [
  'RUNNING',
  'RUNNING',
  'SUCCESS',
  'FAILED',
  'CANCELED',
  'TERMINATED',
  'SUCCESS',
  'TIMED_OUT',
  'PAUSED',
];

export async function listRuns(
  { workflowService }: Connection,
  { namespace, query, limit }: VisibilityRequest,
): Promise<VisibleRun[]> {
  const { executions } = await workflowService.listWorkflowExecutions({
    namespace,
    query,
    pageSize: limit,
  });
  return (executions ?? []).map(({ execution, status, startTime, closeTime }) => ({
    workflowId: execution?.workflowId ?? '',
    runId: execution?.runId ?? '',
    status: statusOf(status),
    startedAt: toText(startTime),
    finishedAt: closeTime ? toText(closeTime) : undefined,
  }));
}

/** The run ids of the open runs of workflows, by workflow id. */
export async function listOpenRuns(
  connection: Connection,
  namespace: string,
  workflowIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const query = `WorkflowId IN (${workflowIds.map(quote).join(', ')}) AND ExecutionStatus = 'Running'`;
  // A workflow has up to one open run.
  const runs = await listRuns(connection, { namespace, query, limit: workflowIds.length });
  return new Map(runs.map(({ workflowId, runId }) => [workflowId, runId]));
}

/** @param status a WorkflowExecutionStatus of Temporal */
export function statusOf(status: number | null | undefined): ExecutionStatus {
  return STATUSES[status ?? 0] ?? 'RUNNING';
}

/** A timestamp of protobuf as RFC 3339, with nanoseconds. */
function toText(at: Timestamp | null | undefined): string {
  const seconds = new Date(Number(at?.seconds ?? 0) * 1_000)
    .toISOString()
    .slice(0, 'YYYY-MM-DDThh:mm:ss'.length);
  return `${seconds}.${String(at?.nanos ?? 0).padStart(9, '0')}Z`;
}

interface Timestamp {
  readonly seconds?: unknown;
  readonly nanos?: number | null;
}

/** A text as a literal of a query. */
export function quote(text: string): string {
  return `'${text.replace(/[\\']/g, String.raw`\$&`)}'`;
}

/** Whether a text needs no escapes in a query, which not all databases of Temporal read equally. */
export function isPlain(text: string): boolean {
  return /^[^'"`\\\p{Cc}]+$/u.test(text);
}
