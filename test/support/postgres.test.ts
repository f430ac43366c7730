// Tests create and drop databases on the shared PostgreSQL, and can kill and restart a separate server.
import pg from 'pg';
import { expect, test } from 'vitest';
import { createDatabase, describeOwnPostgres, describePostgres, startPostgres } from './postgres.ts';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describePostgres('a new database', () => {
  test('is empty, independent of others, and removed afterwards', async () => {
    await using one = await createDatabase();
    await using two = await createDatabase();
    await query(one.url, 'CREATE TABLE things (id int)');
    expect(await query(two.url, `SELECT to_regclass('things') AS found`)).toEqual([{ found: null }]);
    await one.drop();
    await expect(query(one.url, 'SELECT 1')).rejects.toThrow('does not exist');
  });

  test('can be dropped while a client is connected', async () => {
    const database = await createDatabase();
    const client = new pg.Client({ connectionString: database.url });
    client.on('error', () => {});
    await client.connect();
    await database.drop();
    await expect(query(database.url, 'SELECT 1')).rejects.toThrow('does not exist');
  });
});

describeOwnPostgres('a separate PostgreSQL', () => {
  test('keeps committed data after a kill, on the same URL', async () => {
    await using postgres = await startPostgres({ settings: { max_connections: '17' } });
    await query(postgres.url, 'CREATE TABLE things AS SELECT 1 AS id');
    await postgres.kill();
    await expect(query(postgres.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
    await postgres.restart();
    expect(await query(postgres.url, 'SELECT id FROM things')).toEqual([{ id: 1 }]);
    expect(await query(postgres.url, 'SHOW max_connections')).toEqual([{ max_connections: '17' }]);
  });
});
