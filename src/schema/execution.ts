// Executions in GraphQL: the row, its parent, and its children.
import { formatCursor } from '../event/cursor.ts';
import { executionIdOf } from '../event/execution-key.ts';
import { durationMs } from '../event/terminal-event.ts';
import { usageOf } from '../event/usage.ts';
import { requireRead } from '../execution/permission.ts';
import type { ExecutionFailure, ExecutionSummary } from '../execution/store.ts';
import {
  builder,
  ExecutionKindEnum,
  ExecutionModeEnum,
  ExecutionStatusEnum,
  UsageObject,
} from './builder.ts';
import {
  connectionArguments,
  type Edge,
  type PageConnection,
  PageInfoObject,
  readConnection,
} from './connection.ts';
import type { RequestContext } from './context.ts';
import { ExecutionRunConnectionObject, readRuns } from './runs.ts';

const ExecutionErrorObject = builder.objectRef<ExecutionFailure>('ExecutionError').implement({
  fields: (t) => ({
    message: t.exposeString('message'),
    code: t.exposeString('code', { nullable: true }),
  }),
});

export const ExecutionObject = builder.objectRef<ExecutionSummary>('Execution');

const ExecutionEdgeObject = builder.objectRef<Edge<ExecutionSummary>>('ExecutionEdge').implement({
  fields: (t) => ({
    node: t.field({ type: ExecutionObject, resolve: (edge) => edge.node }),
    cursor: t.exposeString('cursor', { description: 'An opaque cursor for `after`.' }),
  }),
});

export const ExecutionConnectionObject = builder
  .objectRef<PageConnection<ExecutionSummary>>('ExecutionConnection')
  .implement({
    description: 'A page of executions, as a Relay connection.',
    fields: (t) => ({
      edges: t.field({ type: [ExecutionEdgeObject], resolve: (page) => [...page.edges] }),
      pageInfo: t.field({ type: PageInfoObject, resolve: (page) => page.pageInfo }),
    }),
  });

ExecutionObject.implement({
  description: 'One run of a workflow, an agent or a task.',
  fields: (t) => ({
    id: t.id({ resolve: (row) => executionIdOf(row.id) }),
    kind: t.field({ type: ExecutionKindEnum, resolve: (row) => row.kind }),
    status: t.field({ type: ExecutionStatusEnum, resolve: (row) => row.status }),
    mode: t.field({ type: ExecutionModeEnum, resolve: (row) => row.mode }),
    attempt: t.exposeInt('attempt'),
    name: t.exposeString('name', { nullable: true }),
    parent: t.field({
      type: ExecutionObject,
      nullable: true,
      resolve: (row, _, { reads }) => (row.parentId === undefined ? null : parent(row.parentId, reads)),
    }),
    children: t.field({
      type: ExecutionConnectionObject,
      description: 'The executions that were started by this one, oldest first.',
      args: connectionArguments(t.arg),
      resolve: (row, args, context) => {
        const filter = context.services.readFilters.children(context.caller, row);
        return readConnection(args, context, (page) =>
          context.reads.children(executionIdOf(row.id), { ...filter, ...page }),
        );
      },
    }),
    childrenCount: t.int({
      nullable: true,
      description:
        'The number of `children` of all pages; null if a policy or a store of the embedding application does not allow to count them.',
      resolve: (row, _, { services, caller, reads }) =>
        services.readFilters.isExact
          ? reads.childrenCount(executionIdOf(row.id), services.readFilters.children(caller, row))
          : null,
    }),
    workflowId: t.exposeString('workflowId', { nullable: true }),
    runId: t.exposeString('runId', { nullable: true }),
    runs: t.field({
      type: ExecutionRunConnectionObject,
      nullable: true,
      description:
        'The runs of a Temporal workflow, newest first, as far as Temporal keeps them; null if the execution is not a Temporal workflow.',
      args: connectionArguments(t.arg),
      resolve: (row, args, context) => readRuns(row, args, context),
    }),
    input: t.field({
      type: 'JSON',
      nullable: true,
      resolve: ({ id }, _, { reads }) => reads.content(id, 'input'),
    }),
    result: t.field({
      type: 'JSON',
      nullable: true,
      resolve: ({ id }, _, { reads }) => reads.content(id, 'result'),
    }),
    resultOmitted: t.boolean({
      description: 'Whether the execution has ended with a result that was not kept; `result` is then null.',
      resolve: (row) => row.resultOmitted ?? false,
    }),
    error: t.field({
      type: ExecutionErrorObject,
      nullable: true,
      resolve: async ({ id }, _, { reads }) => (await reads.content(id, 'error')) as ExecutionFailure | null,
    }),
    usage: t.field({ type: UsageObject, nullable: true, resolve: (row) => usageOf(row.usage) }),
    startedAt: t.field({ type: 'DateTime', resolve: (row) => row.startedAt }),
    finishedAt: t.field({ type: 'DateTime', nullable: true, resolve: (row) => row.finishedAt }),
    durationMs: t.float({
      nullable: true,
      description: 'Milliseconds from the start to the end: an integer from 0 to 2^53 - 1.',
      resolve: (row) => (row.finishedAt ? durationMs(row) : null),
    }),
    lastCursor: t.field({
      type: 'Cursor',
      nullable: true,
      description: 'The cursor of the last event; of an ended execution, that of its terminal event.',
      resolve: (row, _, { reads }) => lastCursor(row, reads),
    }),
  }),
});

type Reads = RequestContext['reads'];

/**
 * Returns an execution that was requested by its id; null if there is none that the caller may know of.
 * @throws ExecstreamError `FORBIDDEN` if the caller may know of it, but not read it
 */
export async function visibleExecution(
  row: ExecutionSummary | undefined,
  { reads, caller }: RequestContext,
): Promise<ExecutionSummary | null> {
  if (!row) return null;
  const permission = await reads.permission(row);
  if (permission.read === 'hidden') return null;
  await requireRead(() => permission, caller, row);
  return row;
}

/** The parent, if it exists and the caller may read it. */
async function parent(id: string, reads: Reads): Promise<ExecutionSummary | null> {
  const row = await reads.execution(id);
  const [readable] = row ? await reads.readable([row]) : [];
  if (readable) reads.count(1);
  return readable ?? null;
}

async function lastCursor(row: ExecutionSummary, reads: Reads): Promise<string | null> {
  if (row.end) return formatCursor(row.end.seq, row.end.epoch);
  const head = await reads.head(row.id);
  return head ? formatCursor(head.head, head.epoch) : null;
}
