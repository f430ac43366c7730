// The states of a row since a revision: all of them if the optional table of revisions is installed
// (prisma/optional/revisions.sql), otherwise the current state.
import { type ExecutionStatus, isFinal } from '../event/events.ts';
import type { PrismaClient, Execution as Row } from './generated/client.ts';
import { isOtherRow } from './incarnation.ts';
import { fromRow } from './row-mapper.ts';
import type { Execution } from './store.ts';

/** The columns of the table of revisions. */
type Revision = Pick<Row, 'revision' | 'attempt' | 'status' | 'result' | 'error' | 'usage'>;

/** The state that a reader knows. */
interface KnownState {
  readonly revision: number;
  readonly incarnation: string | undefined;
}

/** Returns up to `limit` states after a known one, oldest first; undefined if there is no row. */
export async function statesAfter(
  prisma: PrismaClient,
  id: string,
  known: KnownState,
  limit: number,
): Promise<Execution[] | undefined> {
  // In most cases nothing has changed: then no large column is read.
  const select = { revision: true, incarnation: true } as const;
  const current = await prisma.execution.findUnique({ where: { id }, select });
  if (!current) return undefined;
  // A restored database may have an older state of the same row: then all of its states are read again.
  const isContinued = !isOtherRow(current, known) && current.revision >= known.revision;
  if (isContinued && current.revision === known.revision) return [];
  const after = isContinued ? known.revision : 0;
  const row = await prisma.execution.findUnique({ where: { id } });
  if (!row) return undefined;
  const revisions = (await isInstalled(prisma)) ? await revisionsBetween(prisma, row, after, limit) : [];
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
