// The ExecutionStore on Prisma. Every guard is in the WHERE of one UPDATE, so that it holds between processes.
import { ExecstreamError } from '../event/errors.ts';
import { checkExecutionId } from '../event/execution-id.ts';
import type { ErrorLogger } from '../telemetry/logger.ts';
import {
  checkAttemptStep,
  checkBegin,
  checkIds,
  checkPage,
  checkParentTenant,
  MAX_ATTEMPT,
  MAX_ATTEMPT_STEP,
  OPEN_STATUSES,
  resolveAttempt,
} from './attempt-rules.ts';
import { connect, type DatabaseLocation } from './database/connect.ts';
import type { Database } from './database/database.ts';
import { readOnly, withDatabaseTimeout } from './database/database-error.ts';
import type { Prisma, PrismaClient } from './generated/client.ts';
import { childrenOf, contents, getMany, list } from './lists.ts';
import { abandon, expectHeartbeats, expectingHeartbeats, undoBegin } from './open-executions.ts';
import { statesAfter } from './revisions.ts';
import { fromRow, toDescription, toEnd, toRow } from './row-mapper.ts';
import type { BeginExecution, Execution, ExecutionStore } from './store.ts';

export interface PrismaStoreOptions {
  /** After how long a method gives up. Default 5 s. */
  readonly timeoutMs?: number;
  /** Connections to Postgres at most. Default 10. */
  readonly maxConnections?: number;
  /** Where failures of an embedded database are reported. Default: nowhere. */
  readonly logger?: ErrorLogger | undefined;
}

export interface PrismaStore extends ExecutionStore {
  /**
   * Resolves once the database has been connected and is up to date; whether it answers now, `ping` tells. Every
   * method sees to it first, so a server calls it only to find out early.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` where the database is away: the next call tries again. `INTERNAL`
   *   where it refuses a migration, say for want of rights.
   */
  ready(): Promise<void>;
}

/** PGlite makes its files at the first start: seconds of work, and no network to hang on. */
const EMBEDDED_START_MS = 60_000;

/** Makes a store. Nothing is connected yet, so this does not fail where the database is away. */
export function createPrismaStore(location: DatabaseLocation, options: PrismaStoreOptions = {}): PrismaStore {
  const { timeoutMs = 5000, maxConnections = 10, logger } = options;
  let connecting: Promise<Database> | undefined;
  let isConnected = false;
  const closing = new AbortController();

  /** One connection for all callers; one that failed is forgotten, so that the next caller tries again. */
  function database(): Promise<Database> {
    if (closing.signal.aborted) {
      throw new ExecstreamError('SOURCE_UNAVAILABLE', 'The store of executions is closed');
    }
    connecting ??= connect(location, { timeoutMs, maxConnections, logger, signal: closing.signal }).then(
      (connected) => {
        isConnected = true;
        return connected;
      },
      (error) => {
        connecting = undefined;
        throw error;
      },
    );
    return connecting;
  }

  function run<T>(work: (prisma: PrismaClient) => Promise<T>): Promise<T> {
    const boundMs = isConnected || 'url' in location ? timeoutMs : EMBEDDED_START_MS;
    const answer = async () => work((await database()).prisma);
    return withDatabaseTimeout(boundMs, answer());
  }

  return {
    ready: () => run(async () => {}),

    async begin(execution) {
      checkBegin(execution);
      return run((prisma) => begin(prisma, execution));
    },

    async undoBegin(begun, before) {
      return run((prisma) => undoBegin(prisma, begun, before));
    },

    async abandon(id, attempt) {
      checkExecutionId(id);
      return run((prisma) => abandon(prisma, id, attempt));
    },

    async expectingHeartbeats(after, limit) {
      return run((prisma) => expectingHeartbeats(prisma, after, limit));
    },

    async setStatus(id, attempt, status) {
      checkExecutionId(id);
      const change = { where: isOpenAt(id, attempt), data: { status, revision: { increment: 1 } } };
      const { count } = await run((prisma) => prisma.execution.updateMany(change));
      return count === 1;
    },

    async finish(id, attempt, end) {
      checkExecutionId(id);
      return run(async (prisma) => {
        const data = { ...toEnd(end), revision: { increment: 1 } };
        const [row] = await prisma.execution.updateManyAndReturn({ where: isOpenAt(id, attempt), data });
        return row ? fromRow(row) : get(prisma, id);
      });
    },

    async markEnd(id, end) {
      checkExecutionId(id);
      const data = { endSeq: end.seq, endEpoch: end.epoch };
      const isNews = { OR: [{ endSeq: null }, { NOT: data }] };
      const where = { id, status: { notIn: OPEN_STATUSES }, ...isNews };
      await run((prisma) =>
        prisma.execution.updateMany({ where, data: { ...data, revision: { increment: 1 } } }),
      );
    },

    async get(id) {
      checkExecutionId(id);
      return run((prisma) => get(prisma, id));
    },

    async statesAfter(id, revision, limit) {
      checkExecutionId(id);
      return run((prisma) => statesAfter(prisma, id, revision, limit));
    },

    async list(query) {
      checkPage(query);
      return run((prisma) => list(prisma, query));
    },

    async getMany(ids) {
      checkIds(ids);
      return run((prisma) => getMany(prisma, ids));
    },

    async childrenOf(parentIds, query) {
      checkIds(parentIds);
      checkPage(query);
      return run((prisma) => childrenOf(prisma, parentIds, query));
    },

    async contents(ids, field, maxBytes) {
      checkIds(ids);
      return run((prisma) => contents(prisma, ids, field, maxBytes));
    },

    async ended(ids) {
      const query = { where: { id: { in: [...ids] }, finishedAt: { not: null } }, select: { id: true } };
      return run(async (prisma) => (await prisma.execution.findMany(query)).map(({ id }) => id));
    },

    async ping() {
      // On for a hot standby too. A write would cost more, and is refused for nothing else that a question can tell.
      const [row] = await run(
        (prisma) =>
          prisma.$queryRaw<{ mode: string }[]>`SELECT current_setting('transaction_read_only') AS mode`,
      );
      if (row?.mode === 'on') throw readOnly();
    },

    async close() {
      closing.abort();
      // A connection that is still being made is closed as soon as it is there, though nobody waits for it then.
      const closed = connecting?.then((connected) => connected.close()) ?? Promise.resolve();
      await withDatabaseTimeout(timeoutMs, closed).catch(() => {});
    },
  };
}

function isOpenAt(id: string, attempt: number): Prisma.ExecutionWhereInput {
  return { id, attempt, status: { in: OPEN_STATUSES } };
}

async function get(prisma: PrismaClient, id: string): Promise<Execution | undefined> {
  const row = await prisma.execution.findUnique({ where: { id } });
  return row ? fromRow(row) : undefined;
}

/**
 * Inserts; where the id is taken, updates under the guard; where that refuses, reads to say why. What the guard
 * refuses stays refused (kind, mode and tenant never change, an attempt never falls, an end is for good), so that
 * the row read afterwards explains it.
 */
async function begin(prisma: PrismaClient, wanted: BeginExecution): Promise<Execution> {
  // A worker that knows no tenants may begin executions under the workflow of a tenant, and a child may come before
  // its parent.
  if (wanted.parentId !== undefined && wanted.tenant !== undefined) {
    const [parent] = await getMany(prisma, [wanted.parentId]);
    if (parent) checkParentTenant(parent, wanted.tenant);
  }
  const { id, kind, mode, attempt } = wanted;
  if (attempt === undefined || attempt <= MAX_ATTEMPT_STEP) {
    const data = [toRow(wanted)];
    const [made] = await prisma.execution.createManyAndReturn({ data, skipDuplicates: true });
    if (made) return fromRow(made);
  }

  const guard = { id, kind, mode, tenant: wanted.tenant ?? null, status: { in: OPEN_STATUSES } };
  const [begun] = await prisma.execution.updateManyAndReturn({
    where: { ...guard, attempt: attemptBefore(attempt) },
    data: {
      ...toDescription(wanted),
      attempt: attempt ?? { increment: 1 },
      status: 'RUNNING',
      result: null,
      error: null,
      revision: { increment: 1 },
    },
  });
  if (begun) return fromRow(begun);

  const row = await get(prisma, id);
  if (!row && attempt !== undefined) checkAttemptStep(attempt, 0);
  if (row && resolveAttempt(row, wanted) === 'keep') {
    if (!wanted.expectsHeartbeats || row.expectsHeartbeats) return row;
    await expectHeartbeats(prisma, id, row.attempt);
    return (await get(prisma, id)) ?? row;
  }
  throw new ExecstreamError('SOURCE_UNAVAILABLE', `Execution "${id}" was deleted while it began; try again`);
}

/** The attempts that an attempt may follow; any but the last one where it is not given. */
function attemptBefore(attempt: number | undefined): Prisma.IntFilter {
  return attempt === undefined ? { lt: MAX_ATTEMPT } : { lt: attempt, gte: attempt - MAX_ATTEMPT_STEP };
}
