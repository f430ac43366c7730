// PGlite, a Postgres in a thread of this process, as the database of executions: the default without configuration.
// It is accessed with the driver that is also used for Postgres servers.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { ExecstreamError, isExecstreamError } from '../../event/errors.ts';
import { PrismaClient } from '../generated/client.ts';
import type { Database, DatabaseOptions } from './database.ts';
import { withDatabaseTimeout } from './database-error.ts';
import { PGliteHost } from './pglite-host.ts';
import { lockDataDir, type Release } from './pglite-lock.ts';
import { migratePostgres } from './postgres.ts';

/**
 * Opens a database in a directory, which is created if it does not exist, or in memory, and applies missing migrations.
 * Written rows survive the process, even if it is killed; PGlite does not wait for the disk, so the last writes before
 * a power failure may be lost. A database that does not start causes no error here, but in each use until a restart
 * succeeds.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` if another process uses the directory, `CONFIG` if it cannot be used
 */
export async function connectPGlite(
  dataDir: string | undefined,
  options: DatabaseOptions,
): Promise<Database> {
  if (dataDir === undefined) return open(undefined, options);
  const release = await lock(dataDir);
  return open(join(dataDir, 'pglite'), options, release);
}

async function lock(dataDir: string): Promise<Release> {
  try {
    await mkdir(dataDir, { recursive: true });
    return await lockDataDir(dataDir);
  } catch (error) {
    if (isExecstreamError(error)) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    // A full disk may have space again later; a path that cannot be this server's directory is a wrong setting.
    const isWrongPath = ['EACCES', 'EEXIST', 'ENAMETOOLONG', 'ENOTDIR', 'EPERM', 'EROFS'].includes(code);
    throw new ExecstreamError(
      isWrongPath ? 'CONFIG' : 'SOURCE_UNAVAILABLE',
      `data directory cannot be used (${code})`,
      { cause: error },
    );
  }
}

async function open(
  folder: string | undefined,
  { timeoutMs, logger, signal }: DatabaseOptions,
  release?: Release,
): Promise<Database> {
  const config = {
    stream: () => host.connect(),
    user: 'postgres',
    database: 'postgres',
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  };
  const host = new PGliteHost({
    folder,
    timeoutMs,
    logger,
    prepare: async () => void (await migratePostgres(config)),
  });
  const abort = () => void host.close();
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  await host.start();
  signal?.removeEventListener('abort', abort);
  // PGlite has one session.
  const adapter = new PrismaPg({ ...config, max: 1, idleTimeoutMillis: 0 });
  const prisma = new PrismaClient({ adapter, errorFormat: 'minimal' });
  return {
    get prisma() {
      host.check();
      return prisma;
    },
    close: async () => {
      // A connection that does not close ends with the host.
      await withDatabaseTimeout(timeoutMs, prisma.$disconnect()).catch(() => {});
      await host.close();
      await release?.();
    },
  };
}
