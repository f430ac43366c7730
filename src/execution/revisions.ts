// The states of a row since a revision: all of them if the optional table of revisions is installed
// (prisma/optional/revisions.sql), otherwise the current state.
import { type ExecutionStatus, isFinal } from '../event/events.ts';
import type { PrismaClient, Execution as Row } from './generated/client.ts';
import { fromRow } from './row-mapper.ts';
import type { Execution } from './store.ts';

/** The columns of the table of revisions. */
type Revision = Pick<Row, 'revision' | 'attempt' | 'status' | 'result' | 'error' | 'usage'>;

/** Returns up to `limit` states after a revision, oldest first. */
export async function statesAfter(
  prisma: PrismaClient,
  id: string,
  revision: number,
  limit: number,
): Promise<Execution[]> {
  // In most cases nothing has changed: then no column is read, however large the result.
  const row = await prisma.execution.findFirst({ where: { id, revision: { gt: revision } } });
  if (!row) return [];
  const revisions = (await isInstalled(prisma)) ? await revisionsBetween(prisma, row, revision, limit) : [];
  const states = revisions.map((revision) =>
    fromRow({ ...row, ...revision, ...(!isFinal(revision.status as ExecutionStatus) && OPEN) }),
  );
  const isComplete = revisions.length < limit;
  // The current state was written before the table was installed, or changed none of the table's columns.
  if (isComplete && revisions.at(-1)?.revision !== row.revision) states.push(fromRow(row));
  return states;
}

const OPEN = { finishedAt: null, endSeq: null, endEpoch: null };

async function isInstalled(prisma: PrismaClient): Promise<boolean> {
  const [table] = await prisma.$queryRaw<{ exists: boolean }[]>`
    SELECT to_regclass('execstream.execution_revision') IS NOT NULL AS "exists"`;
  return table?.exists === true;
}

/** Revisions up to that of `row`, which supplies the columns that the table does not have. */
function revisionsBetween(prisma: PrismaClient, row: Row, after: number, limit: number): Promise<Revision[]> {
  return prisma.$queryRaw<Revision[]>`
    SELECT "revision", "attempt", "status", "result", "error", "usage" FROM "execstream"."execution_revision"
    WHERE "execution_id" = ${row.id} AND "revision" > ${after} AND "revision" <= ${row.revision}
    ORDER BY "revision" LIMIT ${limit}`;
}
