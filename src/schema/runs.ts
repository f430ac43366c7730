// The runs of a Temporal workflow: the argument that names one, and the list of them.
import type { ArgBuilder } from '@pothos/core';
import { checkRunId } from '../event/execution-key.ts';
import type { ExecutionSummary } from '../execution/store.ts';
import { decodeRunCursor, encodeRunCursor, type WorkflowRunSummary } from '../execution/workflow-runs.ts';
import { builder, ExecutionStatusEnum } from './builder.ts';
import {
  type ConnectionArguments,
  connectionOf,
  type Edge,
  type PageConnection,
  PageInfoObject,
  pageSizeOf,
  type SchemaTypes,
} from './connection.ts';
import type { RequestContext } from './context.ts';

/** The argument that names a run. */
export function runIdArgument(arg: ArgBuilder<SchemaTypes>) {
  return arg.id({
    description: 'One run of a Temporal workflow, which ends with that run. By default the latest run.',
  });
}

/**
 * The run that the argument names.
 * @throws ExecstreamError `BAD_USER_INPUT`
 */
export function runIdOf(runId: string | null | undefined): string | undefined {
  return typeof runId === 'string' ? checkRunId(runId, 'runId') : undefined;
}

const ExecutionRunObject = builder.objectRef<WorkflowRunSummary>('ExecutionRun').implement({
  description: "One run of a Temporal workflow, as Temporal's visibility has it.",
  fields: (t) => ({
    runId: t.exposeID('runId'),
    status: t.field({
      type: ExecutionStatusEnum,
      description: 'A run that continued as new is `SUCCESS`.',
      resolve: ({ status }) => status,
    }),
    startedAt: t.field({ type: 'DateTime', resolve: ({ startedAt }) => new Date(startedAt) }),
    finishedAt: t.field({
      type: 'DateTime',
      nullable: true,
      resolve: ({ finishedAt }) => (finishedAt === undefined ? null : new Date(finishedAt)),
    }),
  }),
});

const ExecutionRunEdgeObject = builder.objectRef<Edge<WorkflowRunSummary>>('ExecutionRunEdge').implement({
  fields: (t) => ({
    node: t.field({ type: ExecutionRunObject, resolve: (edge) => edge.node }),
    cursor: t.exposeString('cursor', { description: 'An opaque cursor for `after`.' }),
  }),
});

export const ExecutionRunConnectionObject = builder
  .objectRef<PageConnection<WorkflowRunSummary>>('ExecutionRunConnection')
  .implement({
    description: 'A page of runs, as a Relay connection.',
    fields: (t) => ({
      edges: t.field({ type: [ExecutionRunEdgeObject], resolve: (page) => [...page.edges] }),
      pageInfo: t.field({ type: PageInfoObject, resolve: (page) => page.pageInfo }),
    }),
  });

/**
 * Reads a page of the runs of an execution; null if it is not a Temporal workflow.
 * @throws ExecstreamError `BAD_USER_INPUT` if an argument is invalid, or the operation reads too many lists of runs
 */
export async function readRuns(
  row: ExecutionSummary,
  args: ConnectionArguments,
  { reads, services: { listRuns } }: RequestContext,
): Promise<PageConnection<WorkflowRunSummary> | null> {
  const request = { first: pageSizeOf(args), after: args.after ? decodeRunCursor(args.after) : undefined };
  if (!listRuns || row.kind !== 'workflow' || row.workflowId === undefined) return null;
  const page = await reads.runList(() => listRuns(row, request));
  const edges = page.runs.map((node) => ({ node, cursor: encodeRunCursor(node) }));
  return connectionOf(edges, args, page.hasNextPage, page.end && encodeRunCursor(page.end));
}
