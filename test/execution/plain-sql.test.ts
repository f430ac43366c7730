// Rows that an engine writes with plain SQL, and the optional table of revisions, in Postgres and PGlite (the triggers).
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPrismaStore, type PrismaStore } from '../../src/execution/prisma-store.ts';
import { createDatabase, type Database, describePostgres } from '../support/postgres.ts';

const REVISIONS = readFileSync('prisma/optional/revisions.sql', 'utf8');

describePostgres('a row by plain SQL', () => {
  let database: Database;
  let store: PrismaStore;
  let engine: pg.Client;

  beforeAll(async () => {
    database = await createDatabase();
    store = createPrismaStore({ url: database.url });
    await store.ready();
    engine = new pg.Client({ connectionString: database.url });
    await engine.connect();
  });

  afterAll(async () => {
    await engine.end();
    await store.close();
    await database.drop();
  });

  const table = 'execstream.execution';
  const insert = (id: string, kind = 'task') =>
    engine.query(`INSERT INTO ${table} (id, kind) VALUES ($1, $2)`, [id, kind]);
  const update = (id: string, set: string) => engine.query(`UPDATE ${table} SET ${set} WHERE id = '${id}'`);

  test('a row needs an id and a kind; the other columns have defaults', async () => {
    await insert('bare');
    await insert('flow', 'workflow');
    const row = (await store.get('bare'))!;
    expect(row).toEqual({
      id: 'bare',
      kind: 'task',
      mode: 'TEXT',
      status: 'RUNNING',
      attempt: 1,
      revision: 1,
      incarnation: expect.any(String),
      startedAt: expect.any(Date),
    });
    expect(Math.abs(row.startedAt.getTime() - Date.now())).toBeLessThan(10_000);
    expect(await store.get('flow')).toMatchObject({ mode: 'STRUCTURED' });
  });

  test('heartbeats are expected from a row only if its column expects_heartbeats is set', async () => {
    await insert('no-heartbeats');
    await engine.query(
      `INSERT INTO ${table} (id, kind, expects_heartbeats) VALUES ('beating', 'task', true)`,
    );
    const ids = (await store.expectingHeartbeats(undefined, 1_000)).map(({ id }) => id);
    expect(ids).toContain('beating');
    expect(ids).not.toContain('no-heartbeats');
  });

  test('the revision increases with every update, whether or not the update sets it', async () => {
    await insert('r');
    await update('r', `status = 'WAITING'`);
    await update('r', `status = 'WAITING', revision = revision + 1`);
    await update('r', 'revision = 1');
    expect((await store.get('r'))?.revision).toBe(4);
    await store.setStatus('r', 1, 'RUNNING');
    expect((await store.begin({ id: 'r', kind: 'task', mode: 'TEXT' })).revision).toBe(6);
    expect((await store.finish('r', 2, { status: 'SUCCESS' }))?.revision).toBe(7);
  });

  test.each([0, -5, 2 ** 31 - 1, -(2 ** 31)])(
    'a row inserted with the revision %i begins at 1, and can end',
    async (revision) => {
      const id = `revision-${revision}`;
      await engine.query(`INSERT INTO ${table} (id, kind, revision) VALUES ($1, 'task', $2)`, [id, revision]);
      expect(await store.statesAfter(id, 0, 10)).toMatchObject([{ revision: 1 }]);
      await update(id, `status = 'SUCCESS', revision = 2147483647`);
      await store.markEnd(id, { seq: 1, epoch: 'epoch0000000' });
      expect(await store.get(id)).toMatchObject({ revision: 3, end: { seq: 1 } });
    },
  );

  test.each([
    ['infinity', '9999-12-31T00:00:00.000Z'],
    ['-infinity', '0001-01-01T00:00:00.000Z'],
    ['0044-03-15 BC', '0001-01-01T00:00:00.000Z'],
    ['290000-01-01', '9999-12-31T00:00:00.000Z'],
  ])('the time %s is stored as the nearest that events can carry', async (time, stored) => {
    const id = `time-${stored.slice(0, 4)}-${time.length}`;
    await engine.query(`INSERT INTO ${table} (id, kind, started_at) VALUES ($1, 'task', $2)`, [id, time]);
    await update(id, `status = 'SUCCESS', finished_at = '${time}'`);
    const row = (await store.get(id))!;
    expect([row.startedAt, row.finishedAt]).toEqual([new Date(stored), new Date(stored)]);
  });

  test('every insertion of a row has its own incarnation, which no update changes', async () => {
    await insert('again');
    const { incarnation } = (await store.get('again'))!;
    await update('again', `name = 'x', incarnation = 'mine'`);
    expect((await store.get('again'))?.incarnation).toBe(incarnation);
    await engine.query(`DELETE FROM ${table} WHERE id = 'again'`);
    await insert('again');
    expect((await store.get('again'))?.incarnation).not.toBe(incarnation);
    expect((await store.getMany(['again']))[0]?.incarnation).toBe((await store.get('again'))?.incarnation);
  });

  test('a row whose id no request can name is not listed', async () => {
    const tooLong = 'x'.repeat(1_001);
    await insert(tooLong);
    await engine.query(
      `INSERT INTO ${table} (id, kind, parent_id) VALUES ('${tooLong}y', 'task', 'flow'), ('child', 'task', 'flow')`,
    );
    const { executions } = await store.list({ first: 100 });
    expect(executions.map(({ id }) => id)).not.toContain(tooLong);
    const children = (await store.childrenOf(['flow'], { first: 10 })).get('flow');
    expect(children?.executions.map(({ id }) => id)).toEqual(['child']);
  });

  test('a final status ends a row', async () => {
    await insert('ends');
    await update('ends', `status = 'SUCCESS', result = '"done"'`);
    const row = (await store.get('ends'))!;
    expect(row).toMatchObject({ status: 'SUCCESS', result: 'done' });
    expect(Math.abs(row.finishedAt!.getTime() - Date.now())).toBeLessThan(10_000);
  });

  test('JSON columns reject other text, and accept all output of JSON.stringify', async () => {
    await insert('json');
    await expect(update('json', `result = 'plain text'`)).rejects.toThrow(
      /invalid input syntax for type json/,
    );
    const json = JSON.stringify('NUL \0, half \ud83d of a pair');
    await engine.query(`UPDATE ${table} SET result = $1 WHERE id = 'json'`, [json]);
    expect((await store.get('json'))?.result).toBe(JSON.parse(json));
  });

  test('every read of a row has the shapes of the protocol, regardless of what its engine wrote', async () => {
    await insert('odd');
    await update('odd', `status = 'FAILED', usage = '{"tokens": 1}', error = '"it broke"'`);
    const row = (await store.get('odd'))!;
    expect(row.error).toEqual({ message: 'it broke' });
    expect(row).not.toHaveProperty('usage');
    expect(await store.statesAfter('odd', 0, 10)).toEqual([row]);
    const { error: _, ...summary } = row;
    expect(await store.getMany(['odd'])).toEqual([summary]);
    const { executions } = await store.list({ ids: ['odd'], first: 1 });
    expect(executions).toEqual([summary]);
    const contents = await store.contents(['odd'], 'error', 1_000);
    expect(contents.get('odd')).toEqual({ bytes: 10, value: { message: 'it broke' } });
  });

  test('only the current state is available without the table of revisions', async () => {
    await insert('latest');
    for (const text of ['a', 'ab', 'abc']) await update('latest', `result = '"${text}"'`);
    const states = (await store.statesAfter('latest', 0, 10))!;
    expect(states.map(({ revision, result }) => [revision, result])).toEqual([[4, 'abc']]);
    expect(await store.statesAfter('latest', 4, 10)).toEqual([]);
    expect(await store.statesAfter('no-such', 0, 10)).toBeUndefined();
    // Another row under the same id, and an older state of the same row in a restored database.
    expect(await store.statesAfter('latest', 4, 10, 'another')).toMatchObject([{ revision: 4 }]);
    expect(await store.statesAfter('latest', 9, 10)).toMatchObject([{ revision: 4 }]);
  });

  describe('with the table of revisions', () => {
    beforeAll(async () => {
      await insert('older');
      await update('older', `result = '"before"'`);
      await engine.query(REVISIONS);
      await engine.query(REVISIONS);
    });

    test('every state is available with the table of revisions, in order and in pages', async () => {
      await insert('all');
      for (const text of ['a', 'ab', 'abc']) await update('all', `result = '"${text}"'`);
      await update('all', `status = 'SUCCESS'`);
      const states = (await store.statesAfter('all', 0, 10))!.map(({ revision, status, result }) => [
        revision,
        status,
        result,
      ]);
      expect(states).toEqual([
        [1, 'RUNNING', undefined],
        [2, 'RUNNING', 'a'],
        [3, 'RUNNING', 'ab'],
        [4, 'RUNNING', 'abc'],
        [5, 'SUCCESS', 'abc'],
      ]);
      const page = (await store.statesAfter('all', 2, 2))!;
      expect(page.map(({ revision }) => revision)).toEqual([3, 4]);
      expect(page[0]).not.toHaveProperty('finishedAt');
      expect(await store.statesAfter('all', 4, 2)).toMatchObject([{ finishedAt: expect.any(Date) }]);
    });

    test('a row older than the table of revisions has its current state, then its revisions', async () => {
      expect(await store.statesAfter('older', 0, 10)).toMatchObject([{ revision: 2, result: 'before' }]);
      await update('older', `result = '"before and after"'`);
      await update('older', `name = 'not part of a stream'`);
      expect(await store.statesAfter('older', 0, 10)).toMatchObject([{ revision: 3 }, { revision: 4 }]);
    });

    test('the revisions of an execution are dropped once its end has a position', async () => {
      await insert('marked');
      await update('marked', `status = 'SUCCESS'`);
      await store.markEnd('marked', { seq: 2, epoch: 'epoch0000000' });
      const { rows } = await engine.query(
        `SELECT * FROM execstream.execution_revision WHERE execution_id = 'marked'`,
      );
      expect(rows).toEqual([]);
      expect(await store.statesAfter('marked', 0, 10)).toMatchObject([{ revision: 3, end: { seq: 2 } }]);
    });

    test('an engine without privileges on the table of revisions still writes revisions', async () => {
      const role = `engine_${process.pid}`;
      await engine.query(`CREATE ROLE ${role}; GRANT USAGE ON SCHEMA execstream TO ${role};
        GRANT SELECT, INSERT, UPDATE ON ${table} TO ${role}; SET ROLE ${role}`);
      await insert('by-role');
      await update('by-role', `result = '"x"'`);
      await engine.query(`RESET ROLE; DROP OWNED BY ${role}; DROP ROLE ${role}`);
      expect(await store.statesAfter('by-role', 0, 10)).toHaveLength(2);
    });
  });
});

describe('in PGlite', () => {
  test('PGlite returns the states of a row as Postgres does', async () => {
    const store = createPrismaStore({ memory: true }, { timeoutMs: 20_000 });
    await store.begin({ id: 'a', kind: 'task', mode: 'TEXT' });
    await store.setStatus('a', 1, 'WAITING');
    expect(await store.statesAfter('a', 1, 10)).toMatchObject([{ revision: 2, status: 'WAITING' }]);
    expect(await store.statesAfter('a', 2, 10)).toEqual([]);
    await store.close();
  }, 60_000);
});
