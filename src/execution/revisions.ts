// What became of a row since a revision: every state where the optional table of revisions is installed
// (prisma/optional/revisions.sql), else the state that it has now.
import { type ExecutionStatus, isFinal } from '../event/events.ts';
import type { PrismaClient, Execution as Row } from './generated/client.ts';
import { fromRow } from './row-mapper.ts';
import type { Execution } from './store.ts';

/** The columns that a revision keeps. */
type Revision = Pick<Row, 'revision' | 'attempt' | 'status' | 'result' | 'error' | 'usage'>;

/** The states after a revision, oldest first, at most `limit`. */
export async function statesAfter(
  prisma: PrismaClient,
  id: string,
  revision: number,
  limit: number,
): Promise<Execution[]> {
  // Almost always nothing has changed: then no column is read, however large the result.
  const row = await prisma.execution.findFirst({ where: { id, revision: { gt: revision } } });
  if (!row) return [];
  const kept = (await isInstalled(prisma)) ? await revisionsBetween(prisma, row, revision, limit) : [];
  const states = kept.map((state) =>
    fromRow({ ...row, ...state, ...(!isFinal(state.status as ExecutionStatus) && OPEN) }),
  );
  const isWhole = kept.length < limit;
  // What was written before the table was there, or changed nothing that it keeps.
  if (isWhole && kept.at(-1)?.revision !== row.revision) states.push(fromRow(row));
  return states;
}

const OPEN = { finishedAt: null, endSeq: null, endEpoch: null };

async function isInstalled(prisma: PrismaClient): Promise<boolean> {
  const [found] = await prisma.$queryRaw<{ is: boolean }[]>`
    SELECT to_regclass('execstream.execution_revision') IS NOT NULL AS "is"`;
  return found?.is === true;
}

/** Up to the row's own, which the fields that revisions do not keep are taken from. */
function revisionsBetween(prisma: PrismaClient, row: Row, after: number, limit: number): Promise<Revision[]> {
  return prisma.$queryRaw<Revision[]>`
    SELECT "revision", "attempt", "status", "result", "error", "usage" FROM "execstream"."execution_revision"
    WHERE "execution_id" = ${row.id} AND "revision" > ${after} AND "revision" <= ${row.revision}
    ORDER BY "revision" LIMIT ${limit}`;
}
