// PGlite, a Postgres in a thread of this process, as the database of executions: the default where nothing is
// installed. It is used through the driver that also talks to Postgres servers.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { ExecstreamError, isExecstreamError } from '../../event/errors.ts';
import { PrismaClient } from '../generated/client.ts';
import type { ConnectOptions, Database } from './database.ts';
import { withDatabaseTimeout } from './database-error.ts';
import { PGliteHost } from './pglite-host.ts';
import { lockDataDir, type Release } from './pglite-lock.ts';
import { migratePostgres } from './postgres.ts';

/**
 * Opens a database in a folder, which is created if it does not exist, or in memory, and brings it up to date. What
 * was written outlives the process, killed or not; PGlite does not wait for the disk, so the last writes before a
 * power failure may be lost.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` if another server uses the folder. A database that does not start is
 *   no error here, but in each use: it is restarted until it does.
 */
export async function connectPGlite(dataDir: string | undefined, options: ConnectOptions): Promise<Database> {
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
    // A full disk may have room again; a path that cannot be a folder of ours is a wrong setting.
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
  { timeoutMs, logger, signal }: ConnectOptions,
  release?: Release,
): Promise<Database> {
  const config = {
    stream: () => host.connect(),
    user: 'postgres',
    database: 'postgres',
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  };
  const host = new PGliteHost({ folder, timeoutMs, logger, prepare: () => migratePostgres(config) });
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
      await withDatabaseTimeout(timeoutMs, prisma.$disconnect()).catch(() => {});
      await host.close();
      await release?.();
    },
  };
}
