// A publisher that connects to Redis and Postgres.
import { expect, test } from 'vitest';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createRedisLog } from '../../src/log/redis/redis-log.ts';
import { createPublisher, createRedisLogWriter } from '../../src/worker.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import { describeRedis } from '../support/redis.ts';

const REDIS_URL = process.env.TEST_REDIS_URL ?? '';

describeRedis('with Redis', () => {
  describePostgres('and Postgres', () => {
    test('publishes with its own connections, and `await using` sends everything and closes them', async () => {
      await using database = await createDatabase();
      const prefix = `connected-${Date.now()}:`;
      {
        await using publisher = createPublisher({ redis: REDIS_URL, prefix, database: database.url });
        const run = await publisher.begin({ kind: 'agent', id: 'poem' });
        void run.text('Roses are red');
        void run.complete();
      }
      await using log = createRedisLog({ redis: REDIS_URL, prefix });
      await using store = createPrismaStore({ url: database.url });
      const { events } = (await log.read('poem', 0, 10))!;
      expect(events.map(({ type }) => type)).toEqual(['agent_start', 'llm_chunk', 'complete']);
      expect(await store.get('poem')).toMatchObject({ status: 'SUCCESS', result: 'Roses are red' });
    });
  });
});

test('a publisher leaves a log and a store of the caller open', async () => {
  await using log = createMemoryLog();
  const store = createMemoryStore();
  await createPublisher({ log, store }).close();
  const publisher = createPublisher({ log, store });
  const run = await publisher.begin({ kind: 'task', id: 't' });
  await run.complete();
  await publisher[Symbol.asyncDispose]();
  expect((await log.head('t'))?.end).toBeGreaterThan(0);
  expect(await publisher.begin({ kind: 'task', id: 't2' })).toMatchObject({
    state: 'closed',
    error: { message: 'the publisher is closed' },
  });
});

test('a writer closes with `await using`', async () => {
  const writer = createRedisLogWriter({ redis: 'redis://127.0.0.1:1', commandTimeoutMs: 100 });
  await writer[Symbol.asyncDispose]();
  await expect(writer.ping()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
});

test.each([
  [
    { redis: 'redis://h' },
    'database: expected a URL that begins with postgresql:// or postgres://, got undefined',
  ],
  [
    { redis: 'redis://h', database: 'mysql://u:hunter2@h/x' },
    'database: expected a URL that begins with postgresql:// or postgres://, got mysql://',
  ],
  [{ database: 'postgres://h/x' }, 'redis: expected'],
  [{ redis: undefined, database: 'postgres://h/x' }, 'redis: expected'],
  [{}, 'log: expected'],
])('names the missing or wrong option: %j', (options, message) => {
  expect(() => createPublisher(options as never)).toThrow(
    expect.objectContaining({ code: 'CONFIG', message: expect.stringContaining(message) }),
  );
});
