// A browser's own EventSource during deployments and outages: it reconnects automatically and misses nothing
// (PROTOCOL.md, "Reconnecting"). Tokens: test/auth/browser.test.ts.
//
//   OUTAGE_SECONDS=60 npm test -- test/server/eventsource.test.ts    # Redis unavailable for a minute
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';
import { createRedisLog } from '../../src/log/redis/redis-log.ts';
import { createPublisher } from '../../src/worker.ts';
import { range } from '../support/app.ts';
import { describeBrowser, launchBrowser } from '../support/chromium.ts';
import { createDatabase, type Database, describePostgres } from '../support/postgres.ts';
import { describeOwnRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { openSse } from '../support/sse.ts';
import { startProcess } from './process.ts';
import { restUrl } from './reader.ts';

const OUTAGE_MS = Number(process.env.OUTAGE_SECONDS ?? 5) * 1_000;

/** The script of the page: records each event and warning, and never opens a second EventSource. */
const watch = (id: string) => `(() => {
  const seen = (window.seen = []);
  const warnings = (window.warnings = []);
  const source = (window.source = new EventSource('/api/v0/executions/agents/${id}/stream'));
  for (const type of ['agent_start', 'llm_chunk', 'complete', 'reset', 'gap']) {
    source.addEventListener(type, ({ lastEventId, data }) => seen.push([type, Number.parseInt(lastEventId), data]));
  }
  source.addEventListener('warning', ({ data }) => warnings.push(data));
})()`;

describePostgres('with Postgres', () => {
  describeOwnRedis('and Redis', () => {
    describeBrowser('EventSource in Chromium', () => {
      let redis: RedisServer;
      let database: Database;
      let browser: Browser;
      let store: ReturnType<typeof createPrismaStore>;
      let log: ReturnType<typeof createRedisLog>;
      let publisher: ReturnType<typeof createPublisher>;
      beforeAll(async () => {
        [redis, database, browser] = await Promise.all([
          startRedis({ appendonly: true }),
          createDatabase(),
          launchBrowser(),
        ]);
        log = createRedisLog({ redis: redis.url });
        store = createPrismaStore({ url: database.url });
        publisher = createPublisher({ log, store });
      });
      afterAll(async () => {
        await publisher?.close();
        await browser?.close();
        await log?.close();
        await store?.close();
        await redis?.stop();
        await database?.drop();
      });

      const start = (env: Record<string, string> = {}) =>
        startProcess(
          { REDIS_URL: redis.url, DATABASE_URL: database.url, HEARTBEAT_MS: '1000', DRAIN_MS: '500', ...env },
          'command',
        );

      async function pageOn(url: string, id: string): Promise<Page> {
        const page = await browser.newPage();
        await page.goto(`${url}/health/live`);
        await page.evaluate(watch(id));
        return page;
      }

      /** Publishes a number every 20 ms until stopped; returns the text. */
      async function publishOn(id: string) {
        const run = await publisher.begin({ id, kind: 'agent' });
        let isOn = true;
        const publishing = (async () => {
          let text = '';
          for (let n = 0; isOn; n += 1) {
            text += `${n} `;
            await run.text(`${n} `);
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
          await run.complete();
          return text;
        })();
        return {
          stop: () => {
            isOn = false;
            return publishing;
          },
        };
      }

      const seenBy = (page: Page) => page.evaluate('window.seen') as Promise<[string, number, string][]>;
      const seesMore = async (page: Page, timeout = 20_000) => {
        const before = (await seenBy(page)).length;
        await expect.poll(async () => (await seenBy(page)).length, { timeout }).toBeGreaterThan(before + 3);
      };

      /** Expects all events once and in order, one end, and a browser that has stopped permanently (204). */
      async function expectComplete(page: Page, id: string, text: string): Promise<void> {
        await expect.poll(() => page.evaluate('window.source.readyState'), { timeout: 20_000 }).toBe(2);
        const seen = await seenBy(page);
        const { head } = (await log.head(id))!;
        expect(seen.map(([, seq]) => seq)).toEqual(range(1, head));
        const chunks = seen.filter(([type]) => type === 'llm_chunk');
        expect(chunks.map(([, , data]) => data).join('')).toBe(text);
        expect(seen.at(-1)![0]).toBe('complete');
        await page.close();
      }

      test('a page misses nothing when a server drains, exits with 0 and is replaced', async () => {
        await using server = await start();
        const work = await publishOn('drained');
        const page = await pageOn(server.url, 'drained');
        await seesMore(page);
        expect(await server.drain()).toBe('code 0');
        await server.start();
        await seesMore(page);
        await expectComplete(page, 'drained', await work.stop());
      }, 60_000);

      test('a client that reconnects to a full node waits and is admitted later', async () => {
        await using server = await start({ MAX_STREAMS: '1', LIFETIME_MS: '2000' });
        const work = await publishOn('full');
        const page = await pageOn(server.url, 'full');
        await seesMore(page);
        // Takes the place as soon as the browser's connection is rotated, and keeps it for 1.5 s.
        await expect
          .poll(
            async () => {
              using other = await openSse(restUrl(server.url, 'full'));
              if (other.status !== 200) return false;
              await new Promise((resolve) => setTimeout(resolve, 1_500));
              return true;
            },
            { timeout: 20_000, interval: 20 },
          )
          .toBe(true);
        await seesMore(page);
        await expectComplete(page, 'full', await work.stop());
      }, 60_000);

      test(
        `a page misses nothing while Redis is unavailable for ${OUTAGE_MS / 1_000} s and keeps its data`,
        async () => {
          await using server = await start();
          const work = await publishOn('outage');
          const page = await pageOn(server.url, 'outage');
          await seesMore(page);
          await redis.kill();
          await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
          await expect
            .poll(() => page.evaluate('window.warnings'), { timeout: 20_000 })
            .toContainEqual(expect.stringContaining('SOURCE_UNAVAILABLE'));
          // A reconnect in the meantime gets a `retry` delay, and not the end of the stream.
          expect(await page.evaluate('window.source.readyState')).not.toBe(2);
          await redis.restart();
          await seesMore(page, 40_000);
          const text = await work.stop();
          await expect.poll(() => page.evaluate('window.source.readyState'), { timeout: 20_000 }).toBe(2);
          const seen = await seenBy(page);
          // Text that waited too long for Redis is resent after a `reset`, so the text is that after the last `reset`.
          const from = seen.findLastIndex(([type]) => type === 'reset') + 1;
          const chunks = seen.slice(from).filter(([type]) => type === 'llm_chunk');
          expect(chunks.map(([, , data]) => data).join('')).toBe(text);
          expect(seen.map(([, seq]) => seq)).toEqual(range(1, (await log.head('outage'))!.head));
          await page.close();
        },
        120_000 + OUTAGE_MS,
      );
    });
  });
});
