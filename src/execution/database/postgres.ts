// A Postgres server as the database of executions.
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from '../generated/client.ts';
import type { ConnectOptions, Database } from './database.ts';
import { type MigrationSession, migrate } from './migrate.ts';

/** A migration may rewrite a table, or wait for another server that does. */
const MIGRATION_TIMEOUT_MS = 10 * 60 * 1000;

/** Connects to a server and brings its database up to date. */
export async function connectPostgres(url: string, options: ConnectOptions): Promise<Database> {
  const config = {
    connectionString: url,
    connectionTimeoutMillis: options.timeoutMs,
    // The client's own bound, not `statement_timeout`: that one is kept by a server that answers, and poolers
    // refuse it at start-up.
    query_timeout: options.timeoutMs,
    keepAlive: true,
  };
  await migratePostgres(config);
  const adapter = new PrismaPg({ ...config, max: options.maxConnections });
  const prisma = new PrismaClient({ adapter, errorFormat: 'minimal' });
  return { prisma, close: () => prisma.$disconnect() };
}

/** Brings the database behind a connection up to date. */
export async function migratePostgres(config: pg.ClientConfig): Promise<void> {
  const client = new pg.Client(config);
  // Without a listener, a connection that breaks while nothing is asked would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    // Asked under the short bound: whether a server is there that answers at all.
    await client.query('SELECT 1');
    await migrate(session(client));
  } finally {
    // Not waited for: a server that hangs does not answer the farewell either.
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
