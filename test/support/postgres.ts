// PostgreSQL for suites: new databases on the shared server, and separate servers that can be killed.
//
//   describePostgres('the store', () => {
//     test('…', async () => {
//       await using database = await createDatabase();
//       … database.url …
//
//   describeOwnPostgres('a database that restarts', () => {
//     test('…', async () => {
//       await using postgres = await startPostgres();
//       … postgres.url … await postgres.kill(); await postgres.restart(); …
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { describe } from 'vitest';
import { type PostgresOptions, PostgresServer } from '../../scripts/postgres.ts';
import { findPart, POSTGRES } from '../../scripts/test-services.ts';

const bin = findPart(POSTGRES);

/** `describe` for suites on the shared server; skipped if there is none (a run without `npm test`). */
export const describePostgres = describe.skipIf(!process.env.TEST_POSTGRES_URL);

/** `describe` for suites that start their own PostgreSQL; skipped if initdb and postgres are not installed. */
export const describeOwnPostgres = describe.skipIf(bin === undefined);

/** A database for one test. */
export interface Database extends AsyncDisposable {
  readonly name: string;
  /** The superuser's URL of the database. */
  readonly url: string;
  /** Drops the database and closes its open connections. `await using` does so too. */
  drop(): Promise<void>;
}

/**
 * Creates an empty database.
 * @param serverUrl the superuser's URL of a server. @default the shared server
 */
export async function createDatabase(serverUrl = sharedPostgresUrl()): Promise<Database> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await runSql(serverUrl, `CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const drop = () => runSql(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  return { name, url: url.href, drop, [Symbol.asyncDispose]: drop };
}

/**
 * Starts a PostgreSQL for one test (about two seconds), which the test must stop with `await using` or `stop()`.
 * @param options additional server settings; see PostgresOptions.
 */
export function startPostgres(options: Omit<PostgresOptions, 'bin'> = {}): Promise<PostgresServer> {
  if (bin === undefined) throw new Error('PostgreSQL not found; call this inside describeOwnPostgres');
  return PostgresServer.start({ bin, ...options });
}

function sharedPostgresUrl(): string {
  const url = process.env.TEST_POSTGRES_URL;
  if (!url) throw new Error('TEST_POSTGRES_URL is not set; call this inside describePostgres');
  return url;
}

async function runSql(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

export type { PostgresServer };
