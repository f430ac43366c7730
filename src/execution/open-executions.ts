// Open executions: the pages that the sweeps for lost publishers and for ended workflows read, and the statements that
// change whether heartbeats are expected.
import type { ExecutionKind } from '../event/events.ts';
import { OPEN_STATUSES } from './attempt-rules.ts';
import type { PrismaClient } from './generated/client.ts';
import { fromRow, summaryOf, toRestored } from './row-mapper.ts';
import type { Execution, ExecutionSummary, OpenExecution } from './store.ts';

/** Reads a page, by the partial index `execution_expecting_heartbeats_idx`. */
export async function expectingHeartbeats(
  prisma: PrismaClient,
  after: string | undefined,
  limit: number,
): Promise<OpenExecution[]> {
  // Raw SQL: with `true` as a parameter, Postgres may not recognise that the partial index applies.
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

/** Reads a page, by the partial index `execution_open_workflow_idx`. */
export async function openWorkflows(
  prisma: PrismaClient,
  after: string | undefined,
  limit: number,
): Promise<ExecutionSummary[]> {
  const rows = await prisma.execution.findMany({
    where: { kind: 'workflow', workflowId: { not: null }, finishedAt: null, id: { gt: after ?? '' } },
    omit: { input: true, result: true, error: true },
    orderBy: { id: 'asc' },
    take: limit,
  });
  return rows.map(summaryOf);
}

/**
 * For a publisher that begins the attempt which the row already has: a row inserted with plain SQL, or a repeated
 * begin. The revision changes in any case, so that another begin of the same attempt that fails later undoes nothing.
 * @returns the row afterwards; undefined if the attempt is no longer open
 */
export async function expectHeartbeats(
  prisma: PrismaClient,
  id: string,
  attempt: number,
): Promise<Execution | undefined> {
  const where = { id, attempt, status: { in: OPEN_STATUSES } };
  const data = { expectsHeartbeats: true, revision: { increment: 1 } };
  const [row] = await prisma.execution.updateManyAndReturn({ where, data });
  return row && fromRow(row);
}

export async function abandon(prisma: PrismaClient, id: string, attempt: number): Promise<void> {
  await prisma.execution.updateMany({
    where: { id, attempt, status: { in: OPEN_STATUSES } },
    data: { expectsHeartbeats: false, revision: { increment: 1 } },
  });
}

/** Implements `ExecutionStore.undoBegin`. The revision in the WHERE clause is the guard: a row that was created has 1. */
export async function undoBegin(
  prisma: PrismaClient,
  { id, attempt, revision }: Execution,
  before: Execution | undefined,
): Promise<boolean> {
  const where = { id, attempt, revision, status: { in: OPEN_STATUSES } };
  if (!before) return revision === 1 && (await prisma.execution.deleteMany({ where })).count === 1;
  // The row changed between `before` and the begin: the state to restore is unknown.
  if (before.revision !== revision - 1) return false;
  const data = { ...toRestored(before), revision: { increment: 1 } };
  return (await prisma.execution.updateMany({ where, data })).count === 1;
}
