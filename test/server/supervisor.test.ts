// `start --workers 2`: two processes that share a port.
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';
import { createRedisLog } from '../../src/log/redis/redis-log.ts';
import { createPublisher } from '../../src/worker.ts';
import { range } from '../support/app.ts';
import { createDatabase, type Database, describePostgres } from '../support/postgres.ts';
import { describeOwnRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { startProcess } from './process.ts';
import { Reader, restUrl } from './reader.ts';

const childrenOf = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

describePostgres('with Postgres', () => {
  describeOwnRedis('and Redis', () => {
    let redis: RedisServer;
    let database: Database;
    beforeAll(async () => {
      [redis, database] = await Promise.all([startRedis(), createDatabase()]);
    });
    afterAll(async () => {
      await redis?.stop();
      await database?.drop();
    });

    test('both processes serve and drain, and one that dies is replaced without a loss for its viewers', async () => {
      const env = { REDIS_URL: redis.url, DATABASE_URL: database.url, DRAIN_MS: '500' };
      await using server = await startProcess(env, 'workers');
      const log = createRedisLog({ redis: redis.url });
      const store = createPrismaStore({ url: database.url });
      const publisher = createPublisher({ log, store });
      const client = new Redis(redis.url);
      try {
        const run = await publisher.begin({ id: 'shared', kind: 'agent' });
        await run.text('0 ');
        const readers = range(1, 10).map(() => new Reader(() => restUrl(server.url, 'shared')));
        const reading = readers.map((reader) => reader.readToEnd());
        const channel = 'stream:events:{shared}';
        await expect
          .poll(async () => {
            const [, subscribers] = (await client.pubsub('NUMSUB', channel)) as [string, number];
            return subscribers;
          })
          .toBe(2);
        const [first, ...others] = childrenOf(server.pid);
        expect(others.length).toBeGreaterThan(0);
        process.kill(first!, 'SIGKILL');
        for (let n = 1; n <= 100; n += 1) {
          await run.text(`${n} `);
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        await run.complete();
        const { head } = (await log.head('shared'))!;
        for (const seen of await Promise.all(reading))
          expect(seen.map(({ seq }) => seq)).toEqual(range(1, head));
        await expect
          .poll(() => childrenOf(server.pid).filter((pid) => pid !== first).length, { timeout: 10_000 })
          .toBe(others.length + 1);
        expect(await server.drain()).toBe('code 0');
      } finally {
        client.disconnect();
        await publisher.close();
        await Promise.all([log.close(), store.close()]);
      }
    }, 60_000);
  });
});
