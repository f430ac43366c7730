// A Postgres server as the database of executions.
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from '../generated/client.ts';
import type { Database, DatabaseOptions } from './database.ts';
import { type MigrationSession, migrate, missingMigrations } from './migrate.ts';

/** A migration may rewrite a table, or wait for another server that does. */
const MIGRATION_TIMEOUT_MS = 10 * 60 * 1000;

/** Connects to a server and applies missing migrations. */
export async function connectPostgres(url: string, options: DatabaseOptions): Promise<Database> {
  const config = connectionConfig(url, options.timeoutMs);
  await migratePostgres(config);
  const adapter = new PrismaPg({ ...config, max: options.maxConnections });
  const prisma = new PrismaClient({ adapter, errorFormat: 'minimal' });
  return { prisma, close: () => prisma.$disconnect() };
}

/**
 * Applies missing migrations over a new connection.
 * @returns the names of those that this call applied
 */
export async function migratePostgres(config: pg.ClientConfig): Promise<readonly string[]> {
  return withSession(config, (connected) => migrate(connected));
}

/** The names of the migrations that are missing. */
export async function missingInPostgres(config: pg.ClientConfig): Promise<readonly string[]> {
  return withSession(config, missingMigrations);
}

/** The settings of a connection, for migrations and for the pool. */
export function connectionConfig(url: string, timeoutMs: number): pg.ClientConfig {
  return {
    connectionString: url,
    connectionTimeoutMillis: timeoutMs,
    // The client's timeout, not `statement_timeout`: a server that hangs does not enforce that, and poolers reject it
    // at startup.
    query_timeout: timeoutMs,
    keepAlive: true,
  };
}

async function withSession<T>(
  config: pg.ClientConfig,
  work: (session: MigrationSession) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(config);
  // Without a listener, a connection that breaks between queries would end the process; queries report it.
  client.on('error', () => {});
  try {
    await client.connect();
    // With the short timeout: checks whether the server responds at all.
    await client.query('SELECT 1');
    return await work(session(client));
  } finally {
    // Not awaited, and errors do not matter: a server that hangs does not respond to this either.
    client.end().catch(() => {});
  }
}

function session(client: pg.Client): MigrationSession {
  const query = (text: string, values?: readonly unknown[]) =>
    client.query({
      text,
      values: values && [...values],
      query_timeout: MIGRATION_TIMEOUT_MS,
    } as pg.QueryConfig);
  return {
    script: async (sql) => {
      await query(sql);
    },
    rows: async (sql, parameters) => (await query(sql, parameters)).rows,
  };
}
