// Reads of many executions from Postgres: pages, children, summaries by id, and large fields. Every filter is part
// of the statement, so rows that are hidden from the caller are neither read nor counted.
import { MAX_EXECUTION_ID_BYTES, RESERVED_PREFIX } from '../event/execution-id.ts';
import { isStorable } from '../event/text.ts';
import { Prisma, type PrismaClient } from './generated/client.ts';
import { type IdPatterns, parseIdPatterns } from './id-patterns.ts';
import { contentOf, type SummaryRow, summaryOf } from './row-mapper.ts';
import type {
  ChildrenQuery,
  ContentField,
  ExecutionFilter,
  ExecutionPage,
  ExecutionQuery,
  ExecutionSummary,
  FieldContent,
  ListPosition,
} from './store.ts';

const { sql } = Prisma;
const TABLE = sql`"execstream"."execution"`;

/** The columns of a summary, by field: all of the table except those of ContentField. */
const COLUMN_OF: { readonly [Field in keyof SummaryRow]: string } = {
  id: 'id',
  kind: 'kind',
  status: 'status',
  mode: 'mode',
  attempt: 'attempt',
  name: 'name',
  tenant: 'tenant',
  parentId: 'parent_id',
  workflowId: 'workflow_id',
  runId: 'run_id',
  usage: 'usage',
  revision: 'revision',
  startedAt: 'started_at',
  finishedAt: 'finished_at',
  endSeq: 'end_seq',
  endEpoch: 'end_epoch',
  resultOmitted: 'result_omitted',
  expectsHeartbeats: 'expects_heartbeats',
  incarnation: 'incarnation',
};
/**
 * Rows whose id no request can name are not listed, because the cursor of a page could not name it either: those of
 * engines, and those of pinned runs.
 */
const HAS_VALID_ID = Prisma.raw(
  `(octet_length("id") BETWEEN 1 AND ${MAX_EXECUTION_ID_BYTES} AND NOT starts_with("id", '${RESERVED_PREFIX}'))`,
);
const COLUMNS = Prisma.raw(
  Object.entries(COLUMN_OF)
    .map(([field, column]) => `"${column}" AS "${field}"`)
    .join(', '),
);

export async function listExecutions(prisma: PrismaClient, query: ExecutionQuery): Promise<ExecutionPage> {
  const { kind, status, first, after } = query;
  const conditions = [
    HAS_VALID_ID,
    ...filterConditions(query),
    ...(kind ? [sql`"kind" = ${kind}`] : []),
    ...(status ? [sql`"status" = ${status}`] : []),
    ...(after ? [olderThan(after)] : []),
  ];
  const rows = await prisma.$queryRaw<SummaryRow[]>`
    SELECT ${COLUMNS} FROM ${TABLE} WHERE ${all(conditions)}
    ORDER BY "started_at" DESC, "id" DESC LIMIT ${first + 1}`;
  return pageOf(rows, first);
}

export async function childrenOf(
  prisma: PrismaClient,
  parentIds: readonly string[],
  query: ChildrenQuery,
): Promise<Map<string, ExecutionPage>> {
  const { first, after } = query;
  const conditions = [
    sql`"parent_id" = "parent"."requested"`,
    HAS_VALID_ID,
    ...filterConditions(query),
    ...(after ? [newerThan(after)] : []),
  ];
  // LATERAL: each parent has its own limit, and reads no more of the index than that limit.
  const rows = await prisma.$queryRaw<(SummaryRow & { parentId: string })[]>`
    SELECT "child".* FROM unnest(${[...new Set(parentIds)]}::text[]) AS "parent" ("requested")
    CROSS JOIN LATERAL (
      SELECT ${COLUMNS} FROM ${TABLE} WHERE ${all(conditions)}
      ORDER BY "started_at", "id" LIMIT ${first + 1}
    ) AS "child"`;
  const byParent = new Map<string, SummaryRow[]>();
  for (const row of rows) {
    const siblings = byParent.get(row.parentId);
    if (siblings) siblings.push(row);
    else byParent.set(row.parentId, [row]);
  }
  return new Map([...byParent].map(([id, children]) => [id, pageOf(children.sort(byAge), first)]));
}

/** The number of children of each parent that has any. */
export async function countChildren(
  prisma: PrismaClient,
  parentIds: readonly string[],
  filter: ExecutionFilter,
): Promise<Map<string, number>> {
  const isChild = sql`"parent_id" = ANY(${[...parentIds]}::text[])`;
  const rows = await prisma.$queryRaw<{ parentId: string; count: number }[]>`
    SELECT "parent_id" AS "parentId", count(*)::integer AS "count" FROM ${TABLE}
    WHERE ${all([isChild, HAS_VALID_ID, ...filterConditions(filter)])} GROUP BY "parent_id"`;
  return new Map(rows.map(({ parentId, count }) => [parentId, count]));
}

export async function getMany(prisma: PrismaClient, ids: readonly string[]): Promise<ExecutionSummary[]> {
  const rows = await prisma.$queryRaw<SummaryRow[]>`
    SELECT ${COLUMNS} FROM ${TABLE} WHERE "id" = ANY(${[...ids]}::text[])`;
  return rows.map(summaryOf);
}

export async function contents(
  prisma: PrismaClient,
  ids: readonly string[],
  field: ContentField,
  maxBytes: number,
): Promise<Map<string, FieldContent>> {
  const column = Prisma.raw(`"${field}"`);
  // Postgres knows the length of a text without reading the text itself.
  const rows = await prisma.$queryRaw<{ id: string; bytes: number; text: string | null }[]>`
    SELECT "id", "bytes", CASE WHEN "total" <= ${maxBytes}::bigint THEN "text" END AS "text"
    FROM (
      SELECT "id", ${column} AS "text", octet_length(${column}) AS "bytes",
        sum(octet_length(${column})) OVER (ORDER BY "id") AS "total"
      FROM ${TABLE} WHERE "id" = ANY(${[...ids]}::text[]) AND ${column} IS NOT NULL
    ) AS "sized"`;
  return new Map(
    rows.map(({ id, bytes, text }) => [
      id,
      text === null ? { bytes, isOmitted: true } : { bytes, ...contentOf(field, text) },
    ]),
  );
}

function pageOf(rows: readonly SummaryRow[], first: number): ExecutionPage {
  return { executions: rows.slice(0, first).map(summaryOf), hasNextPage: rows.length > first };
}

function byAge(a: SummaryRow, b: SummaryRow): number {
  return a.startedAt.getTime() - b.startedAt.getTime() || (a.id < b.id ? -1 : 1);
}

function all(conditions: readonly Prisma.Sql[]): Prisma.Sql {
  return Prisma.join([...conditions], ' AND ');
}

function filterConditions({ tenants, ids }: ExecutionFilter): Prisma.Sql[] {
  return [
    ...(tenants ? [tenantCondition(tenants)] : []),
    ...(ids ? [idCondition(parseIdPatterns(ids))] : []),
  ];
}

function tenantCondition(tenants: readonly (string | null)[]): Prisma.Sql {
  const named = tenants.filter((tenant) => tenant !== null && isStorable(tenant));
  return any([
    ...named.map((tenant) => sql`"tenant" = ${tenant}`),
    ...(tenants.includes(null) ? [sql`"tenant" IS NULL`] : []),
  ]);
}

/** Ids are stored with the collation "C", so a prefix is a range of the primary key. */
function idCondition({ exact, prefixes }: IdPatterns): Prisma.Sql {
  if (prefixes.includes('')) return sql`TRUE`;
  return any([
    ...(exact.length > 0 ? [sql`"id" = ANY(${[...exact]}::text[])`] : []),
    ...prefixes.map(prefixCondition),
  ]);
}

function prefixCondition(prefix: string): Prisma.Sql {
  const next = afterPrefix(prefix);
  return next === undefined ? sql`"id" >= ${prefix}` : sql`("id" >= ${prefix} AND "id" < ${next})`;
}

/** The first text that sorts after all texts with this prefix; undefined if there is none. */
function afterPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0)!);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === MAX_CODE_POINT) continue;
    // Surrogates are not characters of UTF-8.
    return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
  return undefined;
}

const MAX_CODE_POINT = 0x10ffff;

function any(conditions: readonly Prisma.Sql[]): Prisma.Sql {
  return conditions.length === 0 ? sql`FALSE` : sql`(${Prisma.join([...conditions], ' OR ')})`;
}

function olderThan({ startedAt, id }: ListPosition): Prisma.Sql {
  const at = timeOf(startedAt);
  return id === undefined ? sql`"started_at" < ${at}` : sql`("started_at", "id") < (${at}, ${id})`;
}

function newerThan({ startedAt, id }: ListPosition): Prisma.Sql {
  const at = timeOf(startedAt);
  return id === undefined ? sql`"started_at" > ${at}` : sql`("started_at", "id") > (${at}, ${id})`;
}

const DAY_MS = 24 * 60 * 60 * 1_000;

/**
 * A time without a zone, like the column's, regardless of the session's time zone. In days and a remainder: Postgres
 * multiplies intervals in microseconds as doubles, which are not exact for times that are millennia away.
 */
function timeOf(at: Date): Prisma.Sql {
  const days = Math.floor(at.getTime() / DAY_MS);
  const ms = at.getTime() - days * DAY_MS;
  return sql`(timestamp 'epoch' + ${days}::double precision * interval '1 day'
    + ${ms}::double precision * interval '1 millisecond')`;
}
