// Begins an execution or an attempt in Postgres: an insert, or an update that a guard in its WHERE clause protects.
import { ExecstreamError } from '../event/errors.ts';
import {
  checkAttemptStep,
  checkParentTenant,
  MAX_ATTEMPT,
  MAX_ATTEMPT_STEP,
  OPEN_STATUSES,
  replacesRow,
  resolveAttempt,
} from './attempt-rules.ts';
import type { Prisma, PrismaClient } from './generated/client.ts';
import { getMany } from './lists.ts';
import { expectHeartbeats } from './open-executions.ts';
import { fromRow, toDescription, toRow } from './row-mapper.ts';
import type { BeginExecution, Execution } from './store.ts';

/**
 * Implements `ExecutionStore.begin`: inserts; if the id exists, replaces the row of an earlier execution, or updates
 * under the guard; if that rejects it, reads the row to explain why. What the guard rejects once it always rejects
 * (kind, mode and tenant never change, an attempt never decreases, an end is permanent), so the row that is read
 * afterwards explains the rejection.
 */
export async function begin(prisma: PrismaClient, wanted: BeginExecution): Promise<Execution> {
  await checkParent(prisma, wanted);
  return (
    (await insert(prisma, wanted)) ??
    (await replaceEarlier(prisma, wanted)) ??
    (await beginAttempt(prisma, wanted)) ??
    explain(prisma, wanted)
  );
}

/** Reads the execution with an id. */
export async function get(prisma: PrismaClient, id: string): Promise<Execution | undefined> {
  const row = await prisma.execution.findUnique({ where: { id } });
  return row ? fromRow(row) : undefined;
}

/**
 * Without a tenant there is no check: a worker that knows no tenants may begin executions under a tenant's workflow.
 * A parent that does not exist is accepted: a child may begin before its parent.
 */
async function checkParent(prisma: PrismaClient, { parentId, tenant }: BeginExecution): Promise<void> {
  if (parentId === undefined || tenant === undefined) return;
  const [parent] = await getMany(prisma, [parentId]);
  if (parent) checkParentTenant(parent, tenant);
}

async function insert(prisma: PrismaClient, wanted: BeginExecution): Promise<Execution | undefined> {
  if ((wanted.attempt ?? 1) > MAX_ATTEMPT_STEP) return undefined;
  const data = [toRow(wanted)];
  const [created] = await prisma.execution.createManyAndReturn({ data, skipDuplicates: true });
  return created && fromRow(created);
}

/**
 * Replaces the row of an earlier execution (`replacesRow`): a delete and an insert, in one transaction. The row is read
 * first, because a worker that never replaces one needs no right to delete.
 */
async function replaceEarlier(prisma: PrismaClient, wanted: BeginExecution): Promise<Execution | undefined> {
  const row = wanted.startedAt && (await get(prisma, wanted.id));
  if (!row || !replacesRow(row, wanted) || (wanted.attempt ?? 1) > MAX_ATTEMPT_STEP) return undefined;
  const { id, revision, incarnation = null } = row;
  const [, [created]] = await prisma.$transaction([
    prisma.execution.deleteMany({ where: { id, revision, incarnation } }),
    // If the row has changed in the meantime, it remains, and nothing is inserted.
    prisma.execution.createManyAndReturn({ data: [toRow(wanted)], skipDuplicates: true }),
  ]);
  return created ? fromRow(created) : replaceEarlier(prisma, wanted);
}

async function beginAttempt(prisma: PrismaClient, wanted: BeginExecution): Promise<Execution | undefined> {
  const { id, kind, mode, tenant = null, attempt, runId, startedAt } = wanted;
  const isNotReplaced = startedAt &&
    runId !== undefined && { OR: [{ runId }, { runId: null }, { startedAt: { lte: startedAt } }] };
  const guard = {
    id,
    kind,
    mode,
    tenant,
    status: { in: OPEN_STATUSES },
    attempt: previousAttempts(attempt),
    ...isNotReplaced,
  };
  const data = {
    ...toDescription(wanted),
    attempt: attempt ?? { increment: 1 },
    status: 'RUNNING',
    result: null,
    error: null,
    revision: { increment: 1 },
  };
  const [begun] = await prisma.execution.updateManyAndReturn({ where: guard, data });
  return begun && fromRow(begun);
}

/** The attempts that an attempt may follow; without one, any except the highest. */
function previousAttempts(attempt: number | undefined): Prisma.IntFilter {
  return attempt === undefined ? { lt: MAX_ATTEMPT } : { lt: attempt, gte: attempt - MAX_ATTEMPT_STEP };
}

/** Returns the row if it has the attempt already; otherwise throws the reason why nothing began. */
async function explain(prisma: PrismaClient, wanted: BeginExecution): Promise<Execution> {
  const { id, attempt, expectsHeartbeats } = wanted;
  const row = await get(prisma, id);
  if (!row && attempt !== undefined) checkAttemptStep(attempt, 0);
  if (row && resolveAttempt(row, wanted) === 'keep') {
    if (!expectsHeartbeats) return row;
    // If nothing was updated, the row has ended, has a newer attempt, or was deleted since it was read.
    return (await expectHeartbeats(prisma, id, row.attempt)) ?? explain(prisma, wanted);
  }
  const message = `execution "${id}" was deleted while its attempt began; try again`;
  throw new ExecstreamError('SOURCE_UNAVAILABLE', message);
}
