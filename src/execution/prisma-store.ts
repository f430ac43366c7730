// The ExecutionStore on Prisma. Every guard is in the WHERE clause of one UPDATE, so that it holds across processes.
import { checkKey } from '../event/execution-key.ts';
import type { ErrorLogger } from '../telemetry/logger.ts';
import { checkBegin, checkIds, checkPage, OPEN_STATUSES } from './attempt-rules.ts';
import { begin, get } from './begin-execution.ts';
import { readOnly } from './database/database-error.ts';
import { createLazyDatabase } from './database/lazy-database.ts';
import { checkLocation, type DatabaseLocation } from './database/location.ts';
import type { Prisma } from './generated/client.ts';
import { childrenOf, contents, countChildren, getMany, listExecutions } from './lists.ts';
import { abandon, expectingHeartbeats, openWorkflows, undoBegin } from './open-executions.ts';
import { statesAfter } from './revisions.ts';
import { fromRow, toEnd } from './row-mapper.ts';
import type { ExecutionStore } from './store.ts';

export interface PrismaStoreOptions {
  /**
   * How long a method waits for the database, in ms.
   * @default 5000
   */
  readonly timeoutMs?: number;
  /**
   * Limit of connections to Postgres.
   * @default 10
   */
  readonly maxConnections?: number;
  /**
   * Receives failures of an embedded database.
   * @default none: failures are not logged
   */
  readonly logger?: ErrorLogger | undefined;
}

/** `await using` closes it. */
export interface PrismaStore extends ExecutionStore, AsyncDisposable {
  /**
   * Resolves once the database has been connected and migrated; `ping` checks whether it is available now. Every
   * method waits for this, so a server calls it only to detect problems early.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` if the database is unavailable: the next call tries again. `INTERNAL`
   *   if it rejects a migration, for example because of missing privileges
   */
  ready(): Promise<void>;
}

/**
 * Creates a store of executions. It connects at the first use, so this does not fail if the database is unavailable.
 * @throws ExecstreamError `CONFIG` if the URL is not one of Postgres
 * @example
 * const store = createPrismaStore({ url: 'postgresql://localhost/app' });
 */
export function createPrismaStore(location: DatabaseLocation, options: PrismaStoreOptions = {}): PrismaStore {
  checkLocation(location);
  const { timeoutMs = 5000, maxConnections = 10, logger } = options;
  const { run, close } = createLazyDatabase(location, { timeoutMs, maxConnections, logger });

  return {
    ready: () => run(async () => {}),
    close,
    [Symbol.asyncDispose]: close,

    async begin(execution) {
      checkBegin(execution);
      return run((prisma) => begin(prisma, execution));
    },

    async undoBegin(begun, before) {
      return run((prisma) => undoBegin(prisma, begun, before));
    },

    async abandon(id, attempt) {
      checkKey(id);
      return run((prisma) => abandon(prisma, id, attempt));
    },

    async expectingHeartbeats(after, limit) {
      return run((prisma) => expectingHeartbeats(prisma, after, limit));
    },

    async openWorkflows(after, limit) {
      return run((prisma) => openWorkflows(prisma, after, limit));
    },

    async setStatus(id, attempt, status) {
      checkKey(id);
      const change = { where: isOpenAt(id, attempt), data: { status, revision: { increment: 1 } } };
      const { count } = await run((prisma) => prisma.execution.updateMany(change));
      return count === 1;
    },

    async finish(id, attempt, end) {
      checkKey(id);
      return run(async (prisma) => {
        const data = { ...toEnd(end), revision: { increment: 1 } };
        const [row] = await prisma.execution.updateManyAndReturn({ where: isOpenAt(id, attempt), data });
        return row ? fromRow(row) : get(prisma, id);
      });
    },

    async markEnd(id, end) {
      checkKey(id);
      const data = { endSeq: end.seq, endEpoch: end.epoch };
      const isChange = { OR: [{ endSeq: null }, { NOT: data }] };
      const where = { id, status: { notIn: OPEN_STATUSES }, ...isChange };
      await run((prisma) =>
        prisma.execution.updateMany({ where, data: { ...data, revision: { increment: 1 } } }),
      );
    },

    async get(id) {
      checkKey(id);
      return run((prisma) => get(prisma, id));
    },

    async statesAfter(id, revision, limit, incarnation) {
      checkKey(id);
      return run((prisma) => statesAfter(prisma, id, { revision, incarnation }, limit));
    },

    async list(query) {
      checkPage(query);
      return run((prisma) => listExecutions(prisma, query));
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

    async countChildren(parentIds, filter) {
      checkIds(parentIds);
      return run((prisma) => countChildren(prisma, parentIds, filter));
    },

    async contents(ids, field, maxBytes) {
      checkIds(ids);
      return run((prisma) => contents(prisma, ids, field, maxBytes));
    },

    async ping() {
      // The setting is on for a hot standby too. A write would cost more, and detects nothing else that matters here.
      const [row] = await run(
        (prisma) =>
          prisma.$queryRaw<{ mode: string }[]>`SELECT current_setting('transaction_read_only') AS mode`,
      );
      if (row?.mode === 'on') throw readOnly();
    },
  };
}

function isOpenAt(id: string, attempt: number): Prisma.ExecutionWhereInput {
  return { id, attempt, status: { in: OPEN_STATUSES } };
}
