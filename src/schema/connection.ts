// Pages as Relay connections: arguments, cursors, and executions that a policy hides.
import type { ArgBuilder } from '@pothos/core';
import { ExecstreamError } from '../event/errors.ts';
import { MAX_PAGE } from '../execution/attempt-rules.ts';
import { decodePageCursor, encodePageCursor } from '../execution/page-cursor.ts';
import type { ExecutionPage, ExecutionSummary, ListPosition } from '../execution/store.ts';
import { builder } from './builder.ts';
import type { RequestContext } from './context.ts';

const DEFAULT_FIRST = 20;
/** Pages read for one connection if a policy hides executions. */
const MAX_PAGES = 10;

/** An element of a page. */
export interface Edge<Node> {
  readonly node: Node;
  readonly cursor: string;
}

interface PageInfo {
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly startCursor: string | null;
  readonly endCursor: string | null;
}

export interface PageConnection<Node> {
  readonly edges: readonly Edge<Node>[];
  readonly pageInfo: PageInfo;
}

export const PageInfoObject = builder.objectRef<PageInfo>('PageInfo').implement({
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage'),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage'),
    startCursor: t.exposeString('startCursor', { nullable: true }),
    endCursor: t.exposeString('endCursor', { nullable: true }),
  }),
});

export type SchemaTypes = typeof builder.$inferSchemaTypes;

/** The arguments of a connection, as resolvers get them. */
export interface ConnectionArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

/** The arguments of every connection. */
export function connectionArguments(arg: ArgBuilder<SchemaTypes>) {
  return {
    first: arg.int({ defaultValue: DEFAULT_FIRST, description: `1 to ${MAX_PAGE}.` }),
    after: arg.string({ description: 'The `endCursor` of the previous page.' }),
  };
}

/**
 * The size of the requested page.
 * @throws ExecstreamError `BAD_USER_INPUT`
 */
export function pageSizeOf({ first }: ConnectionArguments): number {
  const size = first ?? DEFAULT_FIRST;
  if (size >= 1 && size <= MAX_PAGE) return size;
  throw new ExecstreamError('BAD_USER_INPUT', `first: expected 1 to ${MAX_PAGE}, got ${size}`);
}

/**
 * The connection of a page.
 * @param endCursor where the next page starts, if not after the last edge
 */
export function connectionOf<Node>(
  edges: readonly Edge<Node>[],
  { after }: ConnectionArguments,
  hasNextPage: boolean,
  endCursor: string | null = edges.at(-1)?.cursor ?? null,
): PageConnection<Node> {
  const startCursor = edges[0]?.cursor ?? null;
  return { edges, pageInfo: { hasNextPage, hasPreviousPage: Boolean(after), startCursor, endCursor } };
}

interface PageRequest {
  readonly first: number;
  readonly after?: ListPosition;
}

type ReadPage = (page: PageRequest) => Promise<ExecutionPage>;

/**
 * Reads a page of executions that the caller may read.
 * @throws ExecstreamError `BAD_USER_INPUT` if an argument is invalid or the result would be too large
 */
export async function readConnection(
  args: ConnectionArguments,
  context: RequestContext,
  read: ReadPage,
): Promise<PageConnection<ExecutionSummary>> {
  const first = pageSizeOf(args);
  const after = args.after ? decodePageCursor(args.after) : undefined;
  const { rows, hasNextPage, end } = await readablePage(context, read, first, after);
  context.reads.count(rows.length);
  const edges = rows.map((node) => ({ node, cursor: encodePageCursor(node) }));
  return connectionOf(edges, args, hasNextPage, end && encodePageCursor(end));
}

interface ReadablePage {
  readonly rows: readonly ExecutionSummary[];
  readonly hasNextPage: boolean;
  /** Where the next page starts, if not after the last row. */
  readonly end?: ListPosition;
}

/**
 * Reads a page of executions that the caller may read. Those that a policy hides are replaced by later ones: a shorter
 * page, or the cursor of a hidden execution, would reveal them. Up to a limit; a page that reaches it may be shorter.
 */
async function readablePage(
  { reads, services }: RequestContext,
  read: ReadPage,
  first: number,
  start: ListPosition | undefined,
): Promise<ReadablePage> {
  const examined: ExecutionSummary[] = [];
  const rows: ExecutionSummary[] = [];
  // One more than returned, which shows whether there is a next page.
  const size = services.readFilters.isExact ? first : first + 1;
  let request: PageRequest = { first: size, ...(start && { after: start }) };
  for (let pages = 1; ; pages += 1) {
    const page = await read(request);
    const readable = await reads.readable(page.executions);
    examined.push(...page.executions);
    rows.push(...readable);
    if (rows.length > first) return { rows: rows.slice(0, first), hasNextPage: true };
    if (!page.hasNextPage || services.readFilters.isExact) return { rows, hasNextPage: page.hasNextPage };
    if (pages === MAX_PAGES || !reads.takeExtraPage()) return cutPage(examined, rows);
    const { startedAt, id } = page.executions.at(-1)!;
    request = { first: MAX_PAGE, after: { startedAt, id } };
  }
}

/**
 * Ends a page that is shorter than requested. The next one continues after a complete millisecond, because the position
 * of the last execution that was examined would reveal the id of a hidden one.
 */
function cutPage(examined: readonly ExecutionSummary[], rows: readonly ExecutionSummary[]): ReadablePage {
  const last = examined.at(-1)!;
  const boundary = examined.findLast(({ startedAt }) => startedAt.getTime() !== last.startedAt.getTime());
  if (!boundary) {
    const message = `more than ${examined.length} consecutive executions are not readable by you; narrow the list by kind or status`;
    throw new ExecstreamError('BAD_USER_INPUT', message);
  }
  const kept = rows.filter(({ startedAt }) => startedAt.getTime() !== last.startedAt.getTime());
  return { rows: kept, hasNextPage: true, end: { startedAt: boundary.startedAt } };
}
