// Applies prisma/migrations, as `prisma migrate deploy` does, but without its engine, which wants a download.
//
// The record is Prisma's own, `_prisma_migrations`, in the schema `execstream`: `prisma migrate deploy` finds there
// what the server has applied, and the other way round (prisma.config.ts points it at that schema).
import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ExecstreamError } from '../../event/errors.ts';

/** One connection to a database, for the time of a migration. */
export interface MigrationSession {
  /** Runs a script of one or more statements. */
  script(sql: string): Promise<void>;
  rows(sql: string, parameters?: readonly unknown[]): Promise<Record<string, unknown>[]>;
}

export interface Migration {
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, as Prisma computes it. */
  readonly checksum: string;
}

/** The same from src/execution and from dist/execution. */
const FOLDER = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));

/** The key under which `prisma migrate` locks a database: it and a server must not migrate at once either. */
const PRISMA_LOCK = 72707369;

const APPLIED = `SELECT migration_name, finished_at, rolled_back_at FROM "execstream"."_prisma_migrations"`;

/** As Prisma's schema engine makes it. */
const RECORD = `CREATE TABLE IF NOT EXISTS "execstream"."_prisma_migrations" (
    "id" VARCHAR(36) PRIMARY KEY NOT NULL,
    "checksum" VARCHAR(64) NOT NULL,
    "finished_at" TIMESTAMPTZ,
    "migration_name" VARCHAR(255) NOT NULL,
    "logs" TEXT,
    "rolled_back_at" TIMESTAMPTZ,
    "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
    "applied_steps_count" INTEGER NOT NULL DEFAULT 0
)`;

/** The migrations in a folder, in the order of their names. */
export async function readMigrations(folder: string = FOLDER): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const file = await readFile(join(folder, name, 'migration.sql'));
      return { name, sql: file.toString('utf8'), checksum: createHash('sha256').update(file).digest('hex') };
    }),
  );
}

/**
 * Brings a database up to date: all that is missing in one transaction, or nothing. Servers that start at once wait
 * for each other. Migrations that this version does not know, of a newer server, are left alone.
 * @returns The names of the migrations that this call applied.
 * @throws ExecstreamError `INTERNAL` where `prisma migrate` has left a failed migration behind; the driver's errors.
 */
export async function migrate(
  session: MigrationSession,
  migrations?: readonly Migration[],
): Promise<readonly string[]> {
  const known = migrations ?? (await readMigrations());
  // Looked at first without the lock: a server in a database that is up to date needs no right to create anything.
  if (await isRecorded(session)) {
    if ((await missing(session, known)).length === 0) return [];
  }
  // Read committed, whatever the database's default: what another server did while this one waited must be seen.
  await session.script('BEGIN ISOLATION LEVEL READ COMMITTED');
  try {
    await session.rows('SELECT pg_advisory_xact_lock($1::bigint)::text', [PRISMA_LOCK]);
    await makeRecord(session);
    const todo = await missing(session, known);
    for (const migration of todo) await apply(session, migration);
    await session.script('COMMIT');
    return todo.map((migration) => migration.name);
  } catch (error) {
    // A connection that is gone cannot roll back, and need not; the first error is the one to tell.
    await session.script('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function isRecorded(session: MigrationSession): Promise<boolean> {
  const [row] = await session.rows(`SELECT to_regclass('execstream._prisma_migrations') IS NOT NULL AS "is"`);
  return row?.is === true;
}

async function makeRecord(session: MigrationSession): Promise<void> {
  if (await isRecorded(session)) return;
  const [schema] = await session.rows(`SELECT to_regnamespace('execstream') IS NOT NULL AS "is"`);
  if (schema?.is !== true) await session.script('CREATE SCHEMA "execstream"');
  await session.script(RECORD);
}

async function missing(session: MigrationSession, known: readonly Migration[]): Promise<Migration[]> {
  const rows = (await session.rows(APPLIED)).filter((row) => row.rolled_back_at === null);
  const failed = rows.find((row) => row.finished_at === null);
  if (failed) {
    const name = String(failed.migration_name);
    throw new ExecstreamError(
      'INTERNAL',
      `Migration ${name} has failed before; see "npx prisma migrate resolve --help", then start again`,
    );
  }
  const applied = new Set(rows.map((row) => row.migration_name));
  return known.filter((migration) => !applied.has(migration.name));
}

async function apply(session: MigrationSession, migration: Migration): Promise<void> {
  await session.script(migration.sql);
  await session.rows(
    `INSERT INTO "execstream"."_prisma_migrations"
       ("id", "checksum", "migration_name", "started_at", "finished_at", "applied_steps_count")
     VALUES ($1, $2, $3, clock_timestamp(), clock_timestamp(), 1)`,
    [randomUUID(), migration.checksum, migration.name],
  );
}
