// Connects to the database at the first use, and again after a failure.
import { ExecstreamError } from '../../event/errors.ts';
import type { PrismaClient } from '../generated/client.ts';
import { connectDatabase } from './connect.ts';
import type { Database, DatabaseOptions } from './database.ts';
import { withDatabaseTimeout } from './database-error.ts';
import type { DatabaseLocation } from './location.ts';

/** PGlite creates its files at the first start: seconds of work, without a network that could hang. */
const EMBEDDED_START_MS = 60_000;

export interface LazyDatabase {
  /**
   * Runs an operation, and connects before it if necessary.
   * @throws ExecstreamError as `toDatabaseError` does, and `SOURCE_UNAVAILABLE` after the timeout or after `close`
   */
  run<T>(operation: (prisma: PrismaClient) => Promise<T>): Promise<T>;
  /** Closes the database, waiting up to the timeout. */
  close(): Promise<void>;
}

export function createLazyDatabase(
  location: DatabaseLocation,
  options: Omit<DatabaseOptions, 'signal'>,
): LazyDatabase {
  const { timeoutMs } = options;
  const closing = new AbortController();
  let connecting: Promise<Database> | undefined;
  let isConnected = false;

  /** One connection for all callers. After a failure the next caller tries again. */
  function database(): Promise<Database> {
    if (closing.signal.aborted) {
      throw new ExecstreamError('SOURCE_UNAVAILABLE', 'store of executions is closed');
    }
    connecting ??= connectDatabase(location, { ...options, signal: closing.signal }).then(
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

  return {
    run(operation) {
      const limitMs = isConnected || 'url' in location ? timeoutMs : EMBEDDED_START_MS;
      const work = async () => operation((await database()).prisma);
      return withDatabaseTimeout(limitMs, work());
    },

    async close() {
      closing.abort();
      // A connection that is still being established is closed once it exists, though this no longer waits for it.
      const closed = connecting?.then((connected) => connected.close()) ?? Promise.resolve();
      // A database that does not close within the timeout is left to the end of the process.
      await withDatabaseTimeout(timeoutMs, closed).catch(() => {});
    },
  };
}
