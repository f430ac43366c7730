// A server process that is killed and started again: clients miss nothing.
import { EventSource } from 'eventsource';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';
import { createRedisLog } from '../../src/log/redis/redis-log.ts';
import { createPublisher } from '../../src/worker.ts';
import { range } from '../support/app.ts';
import { describeBrowser, launchBrowser } from '../support/chromium.ts';
import { createDatabase, type Database, describePostgres } from '../support/postgres.ts';
import { describeOwnRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { type ServerProcess, startProcess } from './process.ts';
import { graphqlUrl, Reader, restUrl } from './reader.ts';

describePostgres('with Postgres', () => {
  describeOwnRedis('and Redis', () => {
    let redis: RedisServer;
    let database: Database;
    let server: ServerProcess;
    let store: ReturnType<typeof createPrismaStore>;
    let log: ReturnType<typeof createRedisLog>;
    let publisher: ReturnType<typeof createPublisher>;
    beforeAll(async () => {
      [redis, database] = await Promise.all([startRedis(), createDatabase()]);
      server = await startProcess({ REDIS_URL: redis.url, DATABASE_URL: database.url });
      log = createRedisLog({ redis: redis.url });
      store = createPrismaStore({ url: database.url });
      publisher = createPublisher({ log, store });
    });
    afterAll(async () => {
      await publisher?.close();
      await server?.stop();
      await log?.close();
      await store?.close();
      await redis?.stop();
      await database?.drop();
    });

    /** Publishes a number every few milliseconds until stopped; returns how many. */
    function publishOn(id: string) {
      let isOn = true;
      const publishing = (async () => {
        const run = await publisher.begin({ id, kind: 'agent' });
        let count = 0;
        for (; isOn; count += 1) {
          await run.text(`${count} `);
          await run.toolCall({ toolCallId: `${count}`, toolName: 'n', status: 'started' });
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        await run.complete();
        return (await log.head(id))!.head;
      })();
      return {
        stop: () => {
          isOn = false;
          return publishing;
        },
      };
    }

    test('clients of a server that is killed and restarted receive 1..N without gaps or duplicates', async () => {
      const work = publishOn('killed');
      const readers = [graphqlUrl, restUrl].map((urlOf) => new Reader(() => urlOf(server.url, 'killed')));
      await expect.poll(() => readers[0]!.read(() => true)).toBe('destroyed');
      const reading = readers.map((reader) => reader.readToEnd());
      const source = new EventSource(restUrl(server.url, 'killed'));
      const ids: string[] = [];
      source.addEventListener('tool_call', ({ lastEventId }) => ids.push(lastEventId));
      try {
        await expect.poll(() => readers.every(({ seen }) => seen.length > 10)).toBe(true);
        await server.kill();
        await server.start();
        const before = readers.map(({ seen }) => seen.length);
        await expect
          .poll(() => readers.every(({ seen }, i) => seen.length > before[i]! + 10), { timeout: 5_000 })
          .toBe(true);
        const head = await work.stop();
        for (const seen of await Promise.all(reading)) {
          expect(seen.map(({ seq }) => seq)).toEqual(range(1, head));
          expect(seen.at(-1)!.type).toBe('complete');
        }
        // Unlike a browser, the EventSource npm package gives up while no server is listening, so it may miss the rest.
        const calls = readers[0]!.seen.filter(({ type }) => type === 'tool_call').map(({ id }) => id);
        expect(ids).toEqual(calls.slice(0, ids.length));
      } finally {
        source.close();
      }
    });

    describeBrowser('in a browser', () => {
      test('EventSource resumes after the server is killed and restarted, and stops at the end', async () => {
        await using browser = await launchBrowser();
        const page = await browser.newPage();
        await page.goto(`${server.url}/health/live`);
        const work = publishOn('browser');
        await expect.poll(async () => (await store.get('browser'))?.status).toBe('RUNNING');
        await page.evaluate(`(() => {
          const seen = (window.seen = []);
          const source = (window.source = new EventSource('/api/v0/executions/agents/browser/stream'));
          for (const type of ['agent_start', 'llm_chunk', 'tool_call', 'complete', 'reset', 'gap', 'warning']) {
            source.addEventListener(type, (event) => seen.push([Number.parseInt(event.lastEventId), type]));
          }
        })()`);
        const seen = () => page.evaluate('window.seen') as Promise<[number, string][]>;
        await expect.poll(async () => (await seen()).length).toBeGreaterThan(10);
        await server.kill();
        const before = (await seen()).length;
        await server.start();
        await expect
          .poll(async () => (await seen()).length, { timeout: 15_000 })
          .toBeGreaterThan(before + 10);
        const head = await work.stop();
        // Closed permanently, because its last reconnect got 204.
        await expect.poll(() => page.evaluate('window.source.readyState'), { timeout: 10_000 }).toBe(2);
        expect((await seen()).map(([seq]) => seq)).toEqual(range(1, head));
        expect((await seen()).at(-1)).toEqual([head, 'complete']);
      });
    });
  });
});
