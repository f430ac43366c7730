// An engine that only runs INSERT and UPDATE in psql, and publishers that vanish, with complete servers over one Redis
// and one Postgres.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { findPart, POSTGRES } from '../../scripts/test-services.ts';
import type { ExecutionEvent } from '../../src/event/events.ts';
import { ANONYMOUS } from '../../src/execution/permission.ts';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';
import { createRedisLog } from '../../src/log/redis/redis-log.ts';
import { type App, type AppOptions, createApp } from '../support/app.ts';
import { createDatabase, type Database, describePostgres } from '../support/postgres.ts';
import { describeOwnRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { until } from '../support/wait.ts';

const run = promisify(execFile);
const REVISIONS = 'prisma/optional/revisions.sql';

/** Runs a script in psql, as an engine would. */
async function psql(url: string, script: string): Promise<void> {
  const own = join(findPart(POSTGRES) ?? '', 'psql');
  await run(existsSync(own) ? own : 'psql', ['-q', '-v', 'ON_ERROR_STOP=1', url, '-c', script]);
}

/** 20 updates per second, each in its own transaction. */
function updates(id: string, states: readonly string[]): string[] {
  return states.flatMap((text) => [
    `UPDATE execstream.execution SET result = to_json('${text}'::text) WHERE id = '${id}'`,
    'SELECT pg_sleep(0.05)',
  ]);
}

async function runUpdates(url: string, id: string, statements: readonly string[]): Promise<void> {
  const own = join(findPart(POSTGRES) ?? '', 'psql');
  const script = [...statements, `UPDATE execstream.execution SET status = 'SUCCESS' WHERE id = '${id}'`];
  const arguments_ = script.flatMap((statement) => ['-c', statement]);
  await run(existsSync(own) ? own : 'psql', ['-q', '-v', 'ON_ERROR_STOP=1', ...arguments_, url]);
}

describePostgres('complete servers', () => {
  describeOwnRedis('over one Redis and one Postgres', () => {
    let redis: RedisServer;
    let database: Database;
    const closing: (() => Promise<unknown>)[] = [];

    beforeAll(async () => {
      redis = await startRedis();
      database = await createDatabase();
    });
    afterEach(async () => {
      for (const close of closing.splice(0).reverse()) await close();
    });
    afterAll(async () => {
      await database.drop();
      await redis.stop();
    });

    async function server(options: Partial<AppOptions> = {}): Promise<App> {
      const log = createRedisLog({ redis: redis.url });
      const store = createPrismaStore({ url: database.url });
      await store.ready();
      const app = createApp({ log, store, ...options });
      closing.push(async () => {
        await app.close();
        await Promise.all([log.close(), store.close()]);
      });
      return app;
    }

    async function watch(
      app: App,
      executionId: string,
    ): Promise<{ events: ExecutionEvent[]; ended: Promise<void> }> {
      const viewer = await app.services.tails.open({
        kind: 'task',
        executionId,
        caller: ANONYMOUS,
        pollMs: 250,
      });
      const events: ExecutionEvent[] = [];
      const read = async () => {
        for await (const event of viewer) events.push(event);
      };
      return { events, ended: read() };
    }

    const states = Array.from({ length: 60 }, (_, i) => 'abcdefghij'.repeat(7).slice(0, i + 1));

    /** The successive texts of a viewer. */
    function textsOf(events: readonly ExecutionEvent[]): string[] {
      let text = '';
      return events.flatMap((event) => {
        if (event.type !== 'llm_chunk') return [];
        text += event.data.content;
        return [text];
      });
    }

    /** Two servers watch one engine; returns the events of their viewers and the row. */
    async function watchEngine(id: string) {
      const servers = [await server(), await server()];
      await psql(database.url, `INSERT INTO execstream.execution (id, kind) VALUES ('${id}', 'task')`);
      const views = await Promise.all(servers.map((app) => watch(app, id)));
      // The relay holds the lease, so no other process gets it.
      await until(() => views.every(({ events }) => events.length > 0), {
        what: 'the start on both servers',
      });
      expect(await servers[0]!.log.takeLease(id, 'a third', 1_000)).toBeUndefined();
      await runUpdates(database.url, id, updates(id, states));
      await Promise.all(views.map(({ ended }) => ended));
      // Viewers receive the end shortly before its position is on the row.
      const row = await until(async () => {
        const now = await servers[0]!.store.get(id);
        return now?.end && now;
      });
      return { views, row };
    }

    test('without the table of revisions, 20 updates per second in psql are streamed up to the last state and the end', async () => {
      const { views, row } = await watchEngine('without');
      const [first, second] = views.map(({ events }) => events);
      expect(first).toEqual(second);
      expect(textsOf(first!).at(-1)).toBe(states.at(-1));
      expect(textsOf(first!).length).toBeLessThan(states.length);
      expect(first!.map(({ seq }) => seq)).toEqual(first!.map((_, i) => i + 1));
      expect(first!.at(-1)).toMatchObject({ type: 'complete', data: { result: states.at(-1) } });
      expect(row.end!.seq).toBe(first!.length);
      console.log(`without revisions: ${textsOf(first!).length} of ${states.length} states, and the end`);
    });

    test('with the table of revisions, 20 updates per second in psql are streamed state by state to the end', async () => {
      await psql(database.url, readFileSync(REVISIONS, 'utf8'));
      const { views } = await watchEngine('with');
      const [first, second] = views.map(({ events }) => events);
      expect(first).toEqual(second);
      expect(textsOf(first!)).toEqual(states);
      expect(first!.map(({ type }) => type)).toEqual([
        'task_start',
        ...states.map(() => 'llm_chunk'),
        'complete',
      ]);
      console.log(`with revisions: ${textsOf(first!).length} of ${states.length} states, and the end`);
    });

    test('after a relay’s server stops, another server continues, with every state once', async () => {
      const [one, two] = [await server(), await server()];
      await psql(database.url, `INSERT INTO execstream.execution (id, kind) VALUES ('handed-over', 'task')`);
      const first = await watch(one, 'handed-over');
      await until(() => first.events.length > 0, { what: 'the start' });
      const second = await watch(two, 'handed-over');
      const engine = runUpdates(database.url, 'handed-over', updates('handed-over', states));
      await sleep(1_500);
      await one.close();
      await Promise.all([engine, second.ended]);
      expect(textsOf(second.events)).toEqual(states);
    });

    test('after Redis is killed and emptied, the stream restarts and is complete at its end', async () => {
      const own = await startRedis();
      closing.push(() => own.stop());
      const log = createRedisLog({ redis: own.url });
      closing.push(() => log.close());
      const app = await server({ log });
      await psql(database.url, `INSERT INTO execstream.execution (id, kind) VALUES ('killed', 'task')`);
      const { events, ended } = await watch(app, 'killed');
      await until(() => events.length > 0, { what: 'the start' });
      const engine = runUpdates(database.url, 'killed', updates('killed', states));
      await sleep(800);
      await own.kill();
      await sleep(300);
      await own.restart();
      await Promise.all([engine, ended]);
      const after = events.slice(events.map(({ type }) => type).lastIndexOf('reset'));
      expect(after.length).toBeLessThan(events.length);
      expect(textsOf(after)).toEqual(states);
      expect(events.at(-1)?.type).toBe('complete');
    }, 30_000);

    test('after a publisher vanishes, three servers send PUBLISHER_SILENT and one FAILED end', async () => {
      const liveness = { silentAfterMs: 300, lostAfterMs: 1_500, checkMs: 100, sweepMs: 200 };
      const servers = await Promise.all([1, 2, 3].map(() => server({ liveness })));
      const [{ log, store }] = servers as [App];
      await store.begin({ id: 'vanished', kind: 'task', mode: 'TEXT' });
      const opened = await log.open('vanished', { numbering: 'auto', publisher: 'p', attempt: 1 });
      if (opened.outcome !== 'opened') throw new Error(opened.outcome);
      const { epoch } = opened.head;
      const chunk = { type: 'llm_chunk', ts: new Date().toISOString(), data: { content: 'half' } } as const;
      await log.append('vanished', { epoch, acknowledged: 0, publisher: 'p', events: [chunk] });
      await log.recordHeartbeat('vanished');
      const views = await Promise.all(servers.map((app) => watch(app, 'vanished')));
      await Promise.all(views.map(({ ended }) => ended));
      for (const { events } of views) {
        expect(events.map(({ type, id }) => `${type} ${id}`)).toEqual([
          `llm_chunk 1-${epoch}`,
          `warning 1-${epoch}`,
          `error 2-${epoch}`,
        ]);
        expect(events[1]?.data).toMatchObject({ code: 'PUBLISHER_SILENT' });
        expect(events[2]?.data).toMatchObject({ status: 'FAILED', code: 'PUBLISHER_LOST' });
      }
      await until(async () => (await store.get('vanished'))?.end?.seq === 2, { what: 'the end on the row' });
      const late = await log.append('vanished', { epoch, acknowledged: 1, publisher: 'p', events: [chunk] });
      expect(late).toEqual({ outcome: 'ended', end: 2 });
    });
  });
});
