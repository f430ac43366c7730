// Open executions with a publisher: the page that the liveness sweep reads, and what changes their expectation of
// heartbeats without ending them.
import type { ExecutionKind } from '../event/events.ts';
import { OPEN_STATUSES } from './attempt-rules.ts';
import type { PrismaClient } from './generated/client.ts';
import { toRestored } from './row-mapper.ts';
import type { Execution, OpenExecution } from './store.ts';

/** Reads a page, by the partial index `execution_expecting_heartbeats_idx`. */
export async function expectingHeartbeats(
  prisma: PrismaClient,
  after: string | undefined,
  limit: number,
): Promise<OpenExecution[]> {
  // As raw SQL: with `true` as a parameter, Postgres may not see that the partial index applies.
  const rows = await prisma.$queryRaw<{ id: string; kind: string; workflow_id: string | null }[]>`
    SELECT "id", "kind", "workflow_id" FROM "execstream"."execution"
    WHERE "expects_heartbeats" AND "finished_at" IS NULL AND "id" > ${after ?? ''}
    ORDER BY "id" LIMIT ${limit}`;
  return rows.map(({ id, kind, workflow_id: workflowId }) => ({
    id,
    kind: kind as ExecutionKind,
    ...(workflowId !== null && { workflowId }),
  }));
}

/** For a publisher that begins the attempt that the row has already, such as one that was inserted by plain SQL. */
export async function expectHeartbeats(prisma: PrismaClient, id: string, attempt: number): Promise<void> {
  await prisma.execution.updateMany({
    where: { id, attempt, status: { in: OPEN_STATUSES } },
    data: { expectsHeartbeats: true, revision: { increment: 1 } },
  });
}

export async function abandon(prisma: PrismaClient, id: string, attempt: number): Promise<void> {
  await prisma.execution.updateMany({
    where: { id, attempt, status: { in: OPEN_STATUSES } },
    data: { expectsHeartbeats: false, revision: { increment: 1 } },
  });
}

/** See ExecutionStore.undoBegin. The revision in the WHERE is the guard. */
export async function undoBegin(
  prisma: PrismaClient,
  { id, attempt, revision }: Execution,
  before: Execution | undefined,
): Promise<boolean> {
  const where = { id, attempt, revision, status: { in: OPEN_STATUSES } };
  if (!before) return (await prisma.execution.deleteMany({ where })).count === 1;
  // Another change came between `before` and the begin: there is nothing certain to restore.
  if (before.revision !== revision - 1) return false;
  const data = { ...toRestored(before), revision: { increment: 1 } };
  return (await prisma.execution.updateMany({ where, data })).count === 1;
}
