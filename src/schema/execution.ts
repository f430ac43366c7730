// Executions: the row as GraphQL shows it, one by id, and the list.
import { formatCursor } from '../event/cursor.ts';
import { ExecstreamError } from '../event/error.ts';
import { checkExecutionId } from '../event/id.ts';
import { requireRead } from '../execution/permission.ts';
import type { Execution, ExecutionFailure, ExecutionQuery } from '../execution/store.ts';
import { durationMs } from '../execution/terminal.ts';
import {
  builder,
  ExecutionKindEnum,
  ExecutionModeEnum,
  ExecutionStatusEnum,
  UsageObject,
} from './builder.ts';
import type { RequestContext } from './context.ts';

const MAX_PAGE = 100;

const ExecutionErrorObject = builder.objectRef<ExecutionFailure>('ExecutionError').implement({
  fields: (t) => ({
    message: t.exposeString('message'),
    code: t.exposeString('code', { nullable: true }),
  }),
});

const ExecutionObject = builder.objectRef<Execution>('Execution');
ExecutionObject.implement({
  description: 'One run of a workflow, an agent or a task.',
  fields: (t) => ({
    id: t.exposeID('id'),
    kind: t.field({ type: ExecutionKindEnum, resolve: (row) => row.kind }),
    status: t.field({ type: ExecutionStatusEnum, resolve: (row) => row.status }),
    mode: t.field({ type: ExecutionModeEnum, resolve: (row) => row.mode }),
    attempt: t.exposeInt('attempt'),
    name: t.exposeString('name', { nullable: true }),
    parent: t.field({
      type: ExecutionObject,
      nullable: true,
      resolve: (row, _, context) => (row.parentId === undefined ? null : readable(context, row.parentId)),
    }),
    children: t.field({
      type: [ExecutionObject],
      resolve: async (row, _, context) => allowed(context, await context.services.store.children(row.id)),
    }),
    workflowId: t.exposeString('workflowId', { nullable: true }),
    runId: t.exposeString('runId', { nullable: true }),
    input: t.field({ type: 'JSON', nullable: true, resolve: (row) => row.input }),
    result: t.field({ type: 'JSON', nullable: true, resolve: (row) => row.result }),
    resultOmitted: t.boolean({
      description: 'The execution has ended with a result that was not kept: `result` is null.',
      resolve: (row) => row.resultOmitted ?? false,
    }),
    error: t.field({ type: ExecutionErrorObject, nullable: true, resolve: (row) => row.error }),
    usage: t.field({ type: UsageObject, nullable: true, resolve: (row) => row.usage }),
    startedAt: t.field({ type: 'DateTime', resolve: (row) => row.startedAt }),
    finishedAt: t.field({ type: 'DateTime', nullable: true, resolve: (row) => row.finishedAt }),
    durationMs: t.int({ nullable: true, resolve: (row) => (row.finishedAt ? durationMs(row) : null) }),
    lastCursor: t.field({
      type: 'Cursor',
      nullable: true,
      description: 'Where the stream stands now; the terminal event of an ended execution.',
      resolve: (row, _, context) => lastCursor(context, row),
    }),
  }),
});

async function lastCursor({ services }: RequestContext, row: Execution): Promise<string | null> {
  if (row.end) return formatCursor(row.end.seq, row.end.epoch);
  const head = await services.log.head(row.id);
  return head ? formatCursor(head.head, head.epoch) : null;
}

/** The execution, if there is one that the caller may read. */
async function readable(context: RequestContext, id: string): Promise<Execution | null> {
  const row = await context.services.store.get(id);
  return row ? ((await allowed(context, [row]))[0] ?? null) : null;
}

/** The executions that the caller may read. */
async function allowed(
  { services, caller }: RequestContext,
  rows: readonly Execution[],
): Promise<Execution[]> {
  const permissions = await Promise.all(rows.map((row) => services.authorize(caller, row)));
  return rows.filter((_, i) => permissions[i]?.read === 'granted');
}

/**
 * A page of the executions that the caller may read. It is filled up past those that are hidden: a shorter page, or
 * a cursor of one, would tell of them.
 */
async function visiblePage(
  context: RequestContext,
  query: ExecutionQuery,
): Promise<{ rows: Execution[]; hasNextPage: boolean }> {
  const { tenant } = context.caller;
  const rows: Execution[] = [];
  let { after } = query;
  for (;;) {
    const page = await context.services.store.list({
      ...query,
      ...(tenant !== undefined && { tenant }),
      ...(after !== undefined && { after }),
    });
    rows.push(...(await allowed(context, page.executions)));
    if (rows.length > query.first) return { rows: rows.slice(0, query.first), hasNextPage: true };
    if (!page.hasNextPage) return { rows, hasNextPage: false };
    after = page.executions.at(-1)!.id;
  }
}

interface ExecutionConnection {
  readonly edges: readonly { readonly node: Execution; readonly cursor: string }[];
  readonly pageInfo: PageInfo;
}

interface PageInfo {
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly startCursor: string | null;
  readonly endCursor: string | null;
}

const PageInfoObject = builder.objectRef<PageInfo>('PageInfo').implement({
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage'),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage'),
    startCursor: t.exposeString('startCursor', { nullable: true }),
    endCursor: t.exposeString('endCursor', { nullable: true }),
  }),
});

const ExecutionEdgeObject = builder
  .objectRef<ExecutionConnection['edges'][number]>('ExecutionEdge')
  .implement({
    fields: (t) => ({
      node: t.field({ type: ExecutionObject, resolve: (edge) => edge.node }),
      cursor: t.exposeString('cursor'),
    }),
  });

const ExecutionConnectionObject = builder.objectRef<ExecutionConnection>('ExecutionConnection').implement({
  description: 'A Relay connection, newest first.',
  fields: (t) => ({
    edges: t.field({ type: [ExecutionEdgeObject], resolve: (page) => [...page.edges] }),
    pageInfo: t.field({ type: PageInfoObject, resolve: (page) => page.pageInfo }),
  }),
});

builder.queryType({
  fields: (t) => ({
    execution: t.field({
      type: ExecutionObject,
      nullable: true,
      args: { kind: t.arg({ type: ExecutionKindEnum, required: true }), id: t.arg.id({ required: true }) },
      resolve: async (_, { kind, id }, { services, caller }) => {
        const row = await services.tails.find(kind, checkExecutionId(id), caller);
        if (!row) return null;
        const permission = await services.authorize(caller, row);
        if (permission.read === 'hidden') return null;
        await requireRead(services.authorize, caller, row);
        return row;
      },
    }),
    executions: t.field({
      type: ExecutionConnectionObject,
      args: {
        kind: t.arg({ type: ExecutionKindEnum }),
        status: t.arg({ type: ExecutionStatusEnum }),
        first: t.arg.int({ defaultValue: 20 }),
        after: t.arg.string(),
      },
      resolve: async (_, { kind, status, first, after }, context) => {
        const count = first ?? 20;
        if (count < 1 || count > MAX_PAGE) {
          throw new ExecstreamError('BAD_USER_INPUT', `first must be 1 to ${MAX_PAGE}, not ${count}`);
        }
        const { rows, hasNextPage } = await visiblePage(context, {
          first: count,
          ...(kind && { kind }),
          ...(status && { status }),
          ...(after && { after }),
        });
        const edges = rows.map((node) => ({ node, cursor: node.id }));
        return {
          edges,
          pageInfo: {
            hasNextPage,
            hasPreviousPage: Boolean(after),
            startCursor: rows[0]?.id ?? null,
            endCursor: rows.at(-1)?.id ?? null,
          },
        };
      },
    }),
  }),
});
