// Migrations: which ones a server applies, when it waits, and the records for `prisma migrate deploy`.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MigrationSession, migrate } from '../../src/execution/database/migrate.ts';
import { MIGRATIONS } from '../../src/execution/database/migrations.gen.ts';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';
import { createDatabase, type Database, describePostgres } from '../support/postgres.ts';
import { query } from './failing-servers.ts';

const names = readdirSync('prisma/migrations').sort();

describe('in PGlite', () => {
  let pglite: PGlite;
  let session: MigrationSession;

  beforeAll(async () => {
    pglite = await PGlite.create();
    session = {
      script: async (sql) => void (await pglite.exec(sql)),
      rows: async (sql, parameters) =>
        (await pglite.query<Record<string, unknown>>(sql, [...(parameters ?? [])])).rows,
    };
  }, 60_000);

  afterAll(() => pglite.close());

  test('migrations are applied once, in order, and recorded as Prisma records them', async () => {
    expect(await migrate(session)).toEqual(names);
    expect(await migrate(session)).toEqual([]);
    const { rows } = await pglite.query<Record<string, unknown>>(
      'SELECT * FROM "execstream"."_prisma_migrations" ORDER BY "started_at"',
    );
    expect(rows).toEqual(
      names.map((name) => ({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        checksum: createHash('sha256')
          .update(readFileSync(`prisma/migrations/${name}/migration.sql`))
          .digest('hex'),
        migration_name: name,
        logs: null,
        rolled_back_at: null,
        started_at: expect.any(Date),
        finished_at: expect.any(Date),
        applied_steps_count: 1,
      })),
    );
  });

  test('migrations touch nothing outside of the schema execstream', async () => {
    const { rows } = await pglite.query(
      `SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
       ORDER BY tablename`,
    );
    expect(rows).toEqual([
      { schemaname: 'execstream', tablename: '_prisma_migrations' },
      { schemaname: 'execstream', tablename: 'execution' },
    ]);
  });

  test('a migration that fails is rolled back, together with those before it', async () => {
    const good = { name: '9001_good', sql: 'CREATE TABLE "execstream"."good" ()', checksum: 'x' };
    const bad = { name: '9002_bad', sql: 'CREATE TABLE "execstream"."bad" (); SELECT 1/0;', checksum: 'x' };
    await expect(migrate(session, [...MIGRATIONS, good, bad])).rejects.toThrow('division by zero');
    const { rows } = await pglite.query(`SELECT to_regclass('execstream.good') AS good`);
    expect(rows).toEqual([{ good: null }]);
    expect(await migrate(session, [...MIGRATIONS, good])).toEqual(['9001_good']);
  });

  test('migrations of a newer server do not stop an older server', async () => {
    expect(await migrate(session)).toEqual([]);
  });

  test('a migration that failed under `prisma migrate` is reported, and no other is applied', async () => {
    await pglite.exec(
      `INSERT INTO "execstream"."_prisma_migrations" (id, checksum, migration_name) VALUES ('i', 'c', 'incomplete')`,
    );
    await expect(migrate(session)).rejects.toThrow('migration incomplete failed earlier');
    await pglite.exec(`UPDATE "execstream"."_prisma_migrations" SET rolled_back_at = now() WHERE id = 'i'`);
    expect(await migrate(session)).toEqual([]);
  });
});

describePostgres('in Postgres', () => {
  let database: Database;

  beforeAll(async () => {
    database = await createDatabase();
  });

  afterAll(() => database.drop());

  test('five stores that start concurrently in an empty database become ready, and each migration is applied once', async () => {
    const stores = Array.from({ length: 5 }, () => createPrismaStore({ url: database.url }));
    await Promise.all(stores.map((store) => store.ready()));
    const rows = await query(database.url, 'SELECT migration_name FROM execstream._prisma_migrations');
    expect(rows.map((row) => row.migration_name)).toEqual(names);
    await Promise.all(stores.map((store) => store.close()));
  });

  test('a user without the privilege to create anything can serve an up-to-date database', async () => {
    const role = `reader_${process.pid}`;
    await query(
      database.url,
      `CREATE ROLE ${role} LOGIN PASSWORD 'pw'; GRANT USAGE ON SCHEMA execstream TO ${role};
       GRANT SELECT ON execstream._prisma_migrations TO ${role};
       GRANT SELECT, INSERT, UPDATE ON execstream.execution TO ${role}`,
    );
    const url = new URL(database.url);
    url.username = role;
    url.password = 'pw';
    const store = createPrismaStore({ url: url.href });
    expect((await store.begin({ id: 'a', kind: 'task', mode: 'TEXT' })).attempt).toBe(1);
    await store.close();
    await query(database.url, `DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  test('a user without the privilege to migrate receives INTERNAL, not SOURCE_UNAVAILABLE', async () => {
    await using empty = await createDatabase();
    const role = `nobody_${process.pid}`;
    await query(empty.url, `CREATE ROLE ${role} LOGIN PASSWORD 'pw'`);
    const url = new URL(empty.url);
    url.username = role;
    url.password = 'pw';
    const store = createPrismaStore({ url: url.href });
    await expect(store.ready()).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('42501'),
    });
    await store.close();
    await query(empty.url, `DROP ROLE ${role}`);
  });

  test('a server waits while `prisma migrate` holds its lock, up to its timeout', async () => {
    await using empty = await createDatabase();
    const holder = new pg.Client({ connectionString: empty.url });
    await holder.connect();
    await holder.query('SELECT pg_advisory_lock(72707369)');
    const store = createPrismaStore({ url: empty.url }, { timeoutMs: 300 });
    await expect(store.ready()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    const waiting = expect.poll(() => store.ready().then(() => 'ready'), { timeout: 10_000 }).toBe('ready');
    await holder.end();
    await waiting;
    await store.close();
  });
});
