// Applies prisma/migrations, as `prisma migrate deploy` does, but without its engine, which has to be downloaded.
//
// Applied migrations are recorded in Prisma's table `_prisma_migrations`, in the schema `execstream`, so `prisma migrate
// deploy` and the server each recognise the migrations that the other applied (prisma.config.ts names the schema).
import { randomUUID } from 'node:crypto';
import { ExecstreamError } from '../../event/errors.ts';
import { MIGRATIONS } from './migrations.gen.ts';

/** A connection for the duration of a migration. */
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

/** The key with which `prisma migrate` locks a database: it and a server must not migrate concurrently. */
const PRISMA_LOCK = 72707369;

const APPLIED = `SELECT migration_name, finished_at, rolled_back_at FROM "execstream"."_prisma_migrations"`;

/** As Prisma's schema engine creates it. */
const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS "execstream"."_prisma_migrations" (
    "id" VARCHAR(36) PRIMARY KEY NOT NULL,
    "checksum" VARCHAR(64) NOT NULL,
    "finished_at" TIMESTAMPTZ,
    "migration_name" VARCHAR(255) NOT NULL,
    "logs" TEXT,
    "rolled_back_at" TIMESTAMPTZ,
    "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
    "applied_steps_count" INTEGER NOT NULL DEFAULT 0
)`;

/**
 * Applies all missing migrations in one transaction. Servers that start concurrently wait for each other. Migrations
 * of a newer server, which this version does not know, are ignored.
 * @returns the names of the migrations that this call applied
 * @throws ExecstreamError `INTERNAL` if a migration failed under `prisma migrate`; the driver's errors
 */
export async function migrate(
  session: MigrationSession,
  known: readonly Migration[] = MIGRATIONS,
): Promise<readonly string[]> {
  // Checked first without the lock: in an up-to-date database, a server needs no privilege to create anything.
  if ((await hasTable(session)) && (await missing(session, known)).length === 0) return [];
  // Read committed regardless of the database's default: the changes of another server, for which this one waited, must
  // be visible.
  await session.script('BEGIN ISOLATION LEVEL READ COMMITTED');
  try {
    await session.rows('SELECT pg_advisory_xact_lock($1::bigint)::text', [PRISMA_LOCK]);
    await createTable(session);
    const pending = await missing(session, known);
    for (const migration of pending) await apply(session, migration);
    await session.script('COMMIT');
    return pending.map((migration) => migration.name);
  } catch (error) {
    // A lost connection cannot roll back, and need not: the server does. The first error is the one to report.
    await session.script('ROLLBACK').catch(() => {});
    throw error;
  }
}

/** The names of the migrations that are missing, without applying them. */
export async function missingMigrations(session: MigrationSession): Promise<readonly string[]> {
  const pending = (await hasTable(session)) ? await missing(session, MIGRATIONS) : MIGRATIONS;
  return pending.map(({ name }) => name);
}

async function hasTable(session: MigrationSession): Promise<boolean> {
  const [row] = await session.rows(
    `SELECT to_regclass('execstream._prisma_migrations') IS NOT NULL AS "exists"`,
  );
  return row?.exists === true;
}

async function createTable(session: MigrationSession): Promise<void> {
  if (await hasTable(session)) return;
  const [schema] = await session.rows(`SELECT to_regnamespace('execstream') IS NOT NULL AS "exists"`);
  if (schema?.exists !== true) await session.script('CREATE SCHEMA "execstream"');
  await session.script(CREATE_TABLE);
}

async function missing(session: MigrationSession, known: readonly Migration[]): Promise<Migration[]> {
  const rows = (await session.rows(APPLIED)).filter((row) => row.rolled_back_at === null);
  const failed = rows.find((row) => row.finished_at === null);
  if (failed) {
    const name = String(failed.migration_name);
    throw new ExecstreamError(
      'INTERNAL',
      `migration ${name} failed earlier; see "npx prisma migrate resolve --help", then start again`,
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
