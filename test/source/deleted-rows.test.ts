// Rows that are deleted, and rows that are inserted again under the same id: what viewers get, by row source.
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ExecutionEvent } from '../../src/event/events.ts';
import { ANONYMOUS } from '../../src/execution/permission.ts';
import { createPrismaStore, type PrismaStore } from '../../src/execution/prisma-store.ts';
import type { Viewer } from '../../src/tail/viewer.ts';
import { type App, createApp } from '../support/app.ts';
import { createDatabase, type Database, describePostgres } from '../support/postgres.ts';
import { until } from '../support/wait.ts';

const TABLE = 'execstream.execution';

interface Watch {
  readonly viewer: Viewer;
  readonly events: ExecutionEvent[];
  readonly isDone: () => boolean;
}

describePostgres('an engine that deletes rows', () => {
  let database: Database;
  let store: PrismaStore;
  let engine: pg.Client;
  let app: App;
  let ids = 0;
  let id: string;

  beforeAll(async () => {
    database = await createDatabase();
    store = createPrismaStore({ url: database.url });
    await store.ready();
    engine = new pg.Client({ connectionString: database.url });
    await engine.connect();
  });
  beforeEach(() => {
    ids += 1;
    id = `row-${ids}`;
    app = createApp({ store, rowSource: { deletedMs: 400, standbyMs: 50 } });
  });
  afterEach(() => app.close());
  afterAll(async () => {
    await engine.end();
    await store.close();
    await database.drop();
  });

  const insert = (columns = '', values = '') =>
    engine.query(`INSERT INTO ${TABLE} (id, kind${columns}) VALUES ('${id}', 'task'${values})`);
  const update = (set: string) => engine.query(`UPDATE ${TABLE} SET ${set} WHERE id = '${id}'`);
  const remove = () => engine.query(`DELETE FROM ${TABLE} WHERE id = '${id}'`);

  async function watch(options: object = {}): Promise<Watch> {
    const request = { kind: 'task', executionId: id, caller: ANONYMOUS, pollMs: 250, ...options } as const;
    const viewer = await app.services.tails.open(request);
    const events: ExecutionEvent[] = [];
    let isDone = false;
    const read = async () => {
      for await (const event of viewer) events.push(event);
      isDone = true;
    };
    void read();
    return { viewer, events, isDone: () => isDone };
  }

  /** The events since the last `reset`, with chunks as their text. */
  function lastRun(events: readonly ExecutionEvent[]): string[] {
    const from = events.findLastIndex(({ type }) => type === 'reset') + 1;
    return events
      .slice(from)
      .map(({ type, data }) => (type === 'llm_chunk' ? (data as { content: string }).content : type));
  }

  const types = (events: readonly ExecutionEvent[]) => events.map(({ type }) => type);

  async function runOnce(result: string): Promise<Watch> {
    await insert();
    await update(`status = 'SUCCESS', result = '"${result}"'`);
    const watched = await watch();
    await until(watched.isDone, { what: 'the end of the first run' });
    expect(lastRun(watched.events).at(-1)).toBe('complete');
    await until(async () => (await store.get(id))?.end, { what: 'the position' });
    return watched;
  }

  test.each([
    ['a row without an attempt', '', ''],
    ['a row with an older start', ', started_at', `, '2020-01-01'`],
  ])(
    'a watched row that is replaced by %s gives viewers a reset and the new run',
    async (_, columns, values) => {
      await insert(', attempt', ', 3');
      const { events, isDone } = await watch();
      await update(`result = '"first"'`);
      await update(`status = 'WAITING'`);
      await until(() => types(events).includes('llm_chunk'), { what: 'the first run' });
      await engine.query('BEGIN');
      await remove();
      await insert(columns, values);
      await engine.query('COMMIT');
      await until(() => types(events).includes('reset'), { what: 'the reset' });
      await update(`result = '"second"'`);
      await until(() => lastRun(events).includes('second'), { what: 'the second run' });
      await update(`status = 'SUCCESS'`);
      await until(isDone, { what: 'the end' });
      expect(lastRun(events)).toEqual(['task_start', 'second', 'complete']);
      expect(events.at(-1)).toMatchObject({ attempt: 1 });
      expect(types(events).filter((type) => type === 'complete' || type === 'error')).toHaveLength(1);
      const last = events.at(-1)!;
      const row = await until(async () => {
        const now = await store.get(id);
        return now?.end && now;
      });
      expect(`${row.end!.seq}-${row.end!.epoch}`).toBe(last.id);
    },
  );

  test('a row that is inserted again soon after it was deleted, by another statement, does not end the stream', async () => {
    await insert();
    const { events, isDone } = await watch();
    await until(() => events.length > 0, { what: 'the start' });
    await remove();
    await insert();
    await update(`status = 'FAILED', error = '"second"'`);
    await until(isDone, { what: 'the end' });
    expect(events.at(-1)).toMatchObject({ type: 'error', data: { message: 'second' } });
    expect(types(events)).toContain('reset');
  });

  test('a deleted row ends the stream, once, and its state is 404', async () => {
    await insert();
    await update(`result = '"text"'`);
    const { events, isDone } = await watch();
    await until(() => types(events).includes('llm_chunk'), { what: 'the text' });
    await remove();
    await until(isDone, { what: 'the end' });
    expect(types(events)).toEqual(['task_start', 'llm_chunk', 'error']);
    const data = { status: 'TERMINATED', code: 'DELETED', message: 'the execution was deleted' };
    expect(events.at(-1)!.data).toMatchObject(data);
    expect((await app.request(`/api/v0/executions/tasks/${id}`)).status).toBe(404);
    expect((await app.request(`/api/v0/executions/tasks/${id}/stream`)).status).toBe(404);
  });

  test('a row that is deleted before anything of it was copied ends the stream', async () => {
    await insert();
    const { events, isDone } = await watch();
    await remove();
    await until(isDone, { what: 'the end' });
    expect(types(events).at(-1)).toBe('error');
  });

  describe('after the end of the first run', () => {
    test('a new viewer gets the new run, and none of the old one', async () => {
      await runOnce('first');
      await remove();
      await insert();
      const { events, isDone } = await watch();
      await update(`result = '"second"'`);
      await until(() => lastRun(events).includes('second'), { what: 'the second run' });
      await update(`status = 'SUCCESS'`);
      await until(isDone, { what: 'the end' });
      expect(types(events)).toEqual(['reset', 'task_start', 'llm_chunk', 'complete']);
    });

    test('a new viewer of a row that was inserted as ended gets its end', async () => {
      await runOnce('first');
      await remove();
      await insert(', status, result', `, 'SUCCESS', '"second"'`);
      const { events, isDone } = await watch();
      await until(isDone, { what: 'the end' });
      expect(lastRun(events)).toEqual(['task_start', 'second', 'complete']);
      expect(JSON.stringify(events)).not.toContain('first');
      const { events: again, isDone: isDoneAgain } = await watch();
      await until(isDoneAgain, { what: 'the end' });
      expect(again).toEqual(events);
    });

    test('a viewer that reconnects with a cursor of the old run gets a reset and the new run', async () => {
      const { events: before } = await runOnce('first');
      await remove();
      await insert();
      const [seq, epoch] = before.at(-1)!.id.split('-');
      const { events, isDone } = await watch({ after: { seq: Number(seq), epoch } });
      await update(`status = 'SUCCESS', result = '"second"'`);
      await until(isDone, { what: 'the end' });
      expect(types(events)[0]).toBe('reset');
      expect(lastRun(events)).toEqual(['task_start', 'second', 'complete']);
    });

    test('a slow viewer of the old run does not keep a new viewer from the new run', async () => {
      await runOnce('first');
      const slow = await app.services.tails.open({ kind: 'task', executionId: id, caller: ANONYMOUS });
      await remove();
      await insert(', status, result', `, 'SUCCESS', '"second"'`);
      const { events, isDone } = await watch();
      await until(isDone, { what: 'the end' });
      expect(lastRun(events)).toEqual(['task_start', 'second', 'complete']);
      slow.close();
    });
  });

  describe('a row that a publisher has begun', () => {
    async function publish(textOfRun: string): Promise<void> {
      const run = await app.publisher.begin({ id, kind: 'task' });
      await run.text(textOfRun);
      expect(await run.complete()).toBe(true);
    }

    test('a viewer of the second run gets none of the first one', async () => {
      await publish('first');
      await remove();
      const run = await app.publisher.begin({ id, kind: 'task' });
      await run.text('second');
      const { events, isDone } = await watch();
      await run.complete();
      await until(isDone, { what: 'the end' });
      expect(types(events)).toEqual(['reset', 'task_start', 'llm_chunk', 'complete']);
      expect(lastRun(events)).toContain('second');
    });

    test('a row by an engine after it is streamed from the row', async () => {
      await publish('first');
      await remove();
      await insert();
      const { events, isDone } = await watch();
      await update(`status = 'SUCCESS', result = '"second"'`);
      await until(isDone, { what: 'the end' });
      expect(lastRun(events)).toEqual(['task_start', 'second', 'complete']);
      expect(JSON.stringify(events)).not.toContain('first');
    });

    test('a run that began before its row was replaced does not write to the log of the new row', async () => {
      const old = await app.publisher.begin({ id, kind: 'task' });
      await old.text('first');
      await until(async () => (await app.log.head(id))?.head === 2, { what: 'the first run' });
      await remove();
      await publish('second');
      await old.text(' late');
      expect(await old.complete()).toBe(false);
      const { events, isDone } = await watch();
      await until(isDone, { what: 'the end' });
      expect(lastRun(events)).toEqual(['task_start', 'second', 'complete']);
    });
  });
});
