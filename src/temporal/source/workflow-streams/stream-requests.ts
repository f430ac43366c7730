// The requests to a workflow that has a Workflow Stream.
import type { Client } from '@temporalio/client';
import { TemporalError } from '../errors.ts';
import type { Connection } from '../grpc-connection.ts';
import type { StreamPoll, WorkflowRef } from '../temporal-client.ts';
import { OFFSET_QUERY, POLL_UPDATE } from './wire-format.ts';

/** Temporal's UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED. */
const ACCEPTED = 2;

export async function queryOffset({ workflow }: Client, { workflowId, runId }: WorkflowRef): Promise<number> {
  const offset = await workflow.getHandle(workflowId, runId).query<unknown>(OFFSET_QUERY);
  if (typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0) return offset;
  throw new TemporalError('query-failed', `${OFFSET_QUERY}: expected an offset, got ${typeof offset}`);
}

/** @returns whether the workflow accepted the poll: its result is then in the history. */
export async function pollItems(
  { workflowService }: Connection,
  { namespace, workflowId, runId }: WorkflowRef,
  { from, updateId }: StreamPoll,
): Promise<boolean> {
  const encoding = Buffer.from('json/plain');
  const data = Buffer.from(JSON.stringify({ topics: [], from_offset: from }));
  const { stage, outcome } = await workflowService.updateWorkflowExecution({
    namespace,
    workflowExecution: { workflowId, runId: runId ?? '' },
    waitPolicy: { lifecycleStage: ACCEPTED },
    request: {
      meta: { updateId, identity: 'execstream' },
      input: { name: POLL_UPDATE, args: { payloads: [{ metadata: { encoding }, data }] } },
    },
  });
  return (stage ?? 0) >= ACCEPTED && !outcome?.failure;
}
