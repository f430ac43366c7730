// PGlite, a Postgres in this process, as the database of executions: the default where nothing is installed.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { PrismaPGlite } from 'pglite-prisma-adapter';
import type { Database } from './database.ts';
import { holdFolder } from './folder.ts';
import { PrismaClient } from './generated/client.ts';
import { type MigrationSession, migrate } from './migrate.ts';

/**
 * Opens a database in a folder, which is made where it is missing, or in memory, and brings it up to date. What was
 * written outlives the process, killed or not; PGlite does not wait for the disk, so the last writes before a power
 * failure may be lost.
 */
export async function connectPGlite(dataDir: string | undefined): Promise<Database> {
  if (dataDir === undefined) return open(undefined);
  await mkdir(dataDir, { recursive: true });
  const release = await holdFolder(dataDir);
  try {
    const database = await open(join(dataDir, 'pglite'));
    return {
      ...database,
      close: async () => {
        await database.close();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

async function open(folder: string | undefined): Promise<Database> {
  const pglite = await PGlite.create(folder);
  try {
    await migrate(session(pglite));
  } catch (error) {
    await pglite.close();
    throw error;
  }
  const prisma = new PrismaClient({ adapter: new PrismaPGlite(pglite), errorFormat: 'minimal' });
  return {
    prisma,
    close: async () => {
      await prisma.$disconnect();
      await pglite.close();
    },
  };
}

function session(pglite: PGlite): MigrationSession {
  return {
    script: async (sql) => {
      await pglite.exec(sql);
    },
    rows: async (sql, parameters) =>
      (await pglite.query<Record<string, unknown>>(sql, [...(parameters ?? [])])).rows,
  };
}
