// Viewers receive 1..N without a gap or a duplicate, whatever fails (PROTOCOL.md, "Cursors", "Reconnecting").
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { createRedisLog } from '../../src/log/redis/redis-log.ts';
import type { ExecutionPublisher } from '../../src/worker.ts';
import { type ListeningApp, range, startApp } from '../support/app.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { describeOwnRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { openSse, type SseStream } from '../support/sse.ts';
import { until } from '../support/wait.ts';
import { graphqlUrl, Reader, type Reading, restUrl } from './reader.ts';

async function publishNumbers(run: ExecutionPublisher, count: number, from = 1): Promise<void> {
  for (const i of range(from, from + count - 1)) {
    await run.toolCall({ toolCallId: `${i}`, toolName: 'n', status: 'started' });
    if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** The seed of the reconnects; `RESUME_SEED` repeats those of an earlier run. */
const SEED = Number(process.env.RESUME_SEED ?? Date.now() % 1_000_000_000);

describe(`a client that reconnects 50 times at random (RESUME_SEED=${SEED})`, () => {
  test.each([
    ['GraphQL', graphqlUrl],
    ['REST', restUrl],
  ] as const)('a client that reconnects over %s receives 1..N once each, in order', async (_, urlOf) => {
    await using app = await startApp();
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    const reader = new Reader(() => urlOf(app.url, 'a1'));
    const publishing = publishNumbers(run, 1_500);
    for (const count of fc.sample(fc.integer({ min: 1, max: 25 }), { numRuns: 50, seed: SEED })) {
      await reader.read((seen) => seen.length >= count);
    }
    await publishing;
    await run.complete();
    const seen = await reader.readToEnd();
    expect(seen.map(({ seq }) => seq)).toEqual(range(1, 1_502));
    expect(new Set(seen.map(({ id }) => id.split('-')[1])).size).toBe(1);
    expect(seen.at(-1)!.type).toBe('complete');
    await expect.poll(() => app.services.tails.size).toBe(0);
  });
});

/** Two servers over one Redis and one store, as behind a load balancer. */
async function twoServers(redis: RedisServer) {
  const store = createMemoryStore();
  const logs = [0, 1].map(() => createRedisLog({ redis: redis.url, commandTimeoutMs: 1_000 }));
  const apps = await Promise.all(
    logs.map((log) => startApp({ log, store, settings: { retryMs: 20 }, limits: { callMs: 1_000 } })),
  );
  return {
    apps: apps as [ListeningApp, ListeningApp],
    [Symbol.asyncDispose]: async () => {
      await Promise.all(apps.map((app) => app.close()));
      await Promise.all(logs.map((log) => log.close()));
    },
  };
}

describeOwnRedis('with Redis', () => {
  test('a client continues at another server when its own closes during the stream', async () => {
    await using redis = await startRedis();
    await using servers = await twoServers(redis);
    const [first, second] = servers.apps;
    const run = await second.publisher.begin({ id: 'a1', kind: 'agent' });
    let url = first.url;
    const reader = new Reader(() => restUrl(url, 'a1'));
    const publishing = publishNumbers(run, 300);
    await reader.read((seen) => seen.length >= 20);
    const reading = reader.read(() => false);
    await until(() => reader.seen.length >= 60);
    url = second.url;
    await first.close();
    expect(await reading).toBe('aborted');
    await publishing;
    await run.complete();
    const seen = await reader.readToEnd();
    expect(seen.map(({ seq }) => seq)).toEqual(range(1, 302));
  });

  test('viewers of two servers receive the end of an execution whose publisher died once', async () => {
    await using redis = await startRedis();
    await using servers = await twoServers(redis);
    const [first, second] = servers.apps;
    const run = await first.publisher.begin({ id: 'a1', kind: 'agent' });
    await run.text('all');
    await first.publisher.close();
    await first.store.finish('a1', 1, { status: 'SUCCESS', result: 'all' });
    // Makes the end appear older than the publisher's grace period.
    const row = (await first.store.get('a1'))!;
    const get = first.store.get;
    first.store.get = async (id) => {
      const now = await get(id);
      return now && { ...now, finishedAt: new Date(row.finishedAt!.getTime() - 60_000) };
    };
    const streams: SseStream[] = [];
    for (let i = 0; i < 5; i += 1) {
      for (const app of [first, second]) streams.push(await openSse(restUrl(app.url, 'a1')));
    }
    for (const stream of streams) {
      expect(await stream.ended()).toBe('clean');
      expect(stream.frames.map(({ event }) => event)).toEqual(['agent_start', 'llm_chunk', 'complete']);
    }
    expect((await get('a1'))!.end).toMatchObject({ seq: 3 });
  });

  test('200 viewers of one execution share one Redis subscription', async () => {
    await using redis = await startRedis();
    await using servers = await twoServers(redis);
    const [app] = servers.apps;
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    const streams = await Promise.all(
      Array.from({ length: 200 }, (_, i) => openSse((i % 2 ? restUrl : graphqlUrl)(app.url, 'a1'))),
    );
    await Promise.all(streams.map((stream) => stream.take(1, 15_000)));
    const { Redis } = await import('ioredis');
    const client = new Redis(redis.url);
    try {
      const numsub = () => client.pubsub('NUMSUB', 'stream:events:{a1}');
      expect(await numsub()).toEqual(['stream:events:{a1}', 1]);
      for (const stream of streams) stream.destroy();
      await expect.poll(numsub).toEqual(['stream:events:{a1}', 0]);
    } finally {
      client.disconnect();
    }
    await run.complete();
  });

  test('viewers receive every event once if Redis restarts with its data while events are published', async () => {
    await using redis = await startRedis({ appendonly: true });
    await using servers = await twoServers(redis);
    const [app] = servers.apps;
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    const readers = [graphqlUrl, restUrl].map((urlOf) => new Reader(() => urlOf(app.url, 'a1')));
    const reading = readers.map((reader) => reader.read(() => false));
    await publishNumbers(run, 50);
    await until(() => readers.every(({ seen }) => seen.length >= 51));
    await redis.kill();
    const publishing = publishNumbers(run, 100, 51);
    await redis.restart();
    await publishing;
    expect(await run.complete()).toBe(true);
    await Promise.all(reading);
    for (const { seen } of readers) {
      const own = seen.filter(({ type }) => type !== 'warning');
      expect(own.map(({ seq }) => seq)).toEqual(range(1, 152));
      expect(seen.map(({ type }) => type)).not.toContain('reset');
    }
  });

  test.each([
    ['an older snapshot', true],
    ['no data', false],
  ])('after Redis restarts with %s, viewers get a `reset` and the complete text', async (_, isSaved) => {
    await using redis = await startRedis();
    await using servers = await twoServers(redis);
    const [app] = servers.apps;
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    await run.text('one ');
    const readers = [graphqlUrl, restUrl].map((urlOf) => new Reader(() => urlOf(app.url, 'a1')));
    const reading = readers.map((reader) => reader.read(() => false));
    await until(() => readers.every(({ seen }) => seen.length >= 2));
    if (isSaved) {
      const client = new Redis(redis.url);
      await client.save();
      client.disconnect();
    }
    await run.text('two ');
    await run.text('three ');
    await until(() => readers.every(({ text }) => text === 'one two three '));
    await redis.kill();
    await run.text('four ');
    await redis.restart();
    await run.text('five');
    expect(await run.complete()).toBe(true);
    await Promise.all(reading);
    for (const reader of readers) {
      expect(reader.seen.map(({ type }) => type)).toContain('reset');
      expect(reader.text).toBe('one two three four five');
      expect(reader.seen.at(-1)).toMatchObject({ type: 'complete' });
      // After the last reset, no event is missing and none is repeated.
      const last = reader.seen.findLastIndex(({ type }) => type === 'reset');
      const since = reader.seen.slice(last).filter(({ type }) => type !== 'warning');
      expect(since.map(({ seq }) => seq)).toEqual(range(since[0]!.seq, since.at(-1)!.seq));
      expect(new Set(since.map(({ id }) => id.split('-')[1])).size).toBe(1);
    }
    // A client with a cursor of the lost log gets a reset and everything again.
    const old = readers[0]!.seen[1] as Reading;
    const late = new Reader(() => restUrl(app.url, 'a1'), old.id);
    await late.readToEnd();
    expect(late.seen[0]).toMatchObject({ type: 'reset', seq: 0 });
    expect(late.text).toBe('one two three four five');
  });

  test('after Redis restarts with an older snapshot and no publisher, the next attempt does not reuse seqs that were received', async () => {
    await using redis = await startRedis();
    await using servers = await twoServers(redis);
    const [app, other] = servers.apps;
    const first = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    await first.text('one ');
    const [watching, disconnected] = [
      new Reader(() => restUrl(app.url, 'a1')),
      new Reader(() => restUrl(app.url, 'a1')),
    ];
    const reading = watching.readToEnd();
    await until(() => watching.text === 'one ');
    const client = new Redis(redis.url);
    await client.save();
    client.disconnect();
    await first.text('two ');
    await first.text('three ');
    await disconnected.read((seen) => seen.some(({ content }) => content?.includes('three')));
    await until(() => watching.text === 'one two three ');
    // The worker is gone, and with it the knowledge of how far its events were acknowledged.
    await app.publisher.close();
    await redis.kill();
    await redis.restart();
    await until(() => watching.seen.some(({ type }) => type === 'reset'), { timeoutMs: 15_000 });
    const second = await other.publisher.begin({ id: 'a1', kind: 'agent', attempt: 2 });
    await publishNumbers(second, 10);
    await second.text('four five');
    await second.complete();
    await reading;
    await disconnected.readToEnd();
    for (const { text, seen } of [watching, disconnected]) {
      expect(text).toBe('four five');
      const from = seen.findLastIndex(({ seq }) => seq === 0);
      expect(seen[from]).toMatchObject({ type: 'reset' });
      expect(seen.slice(from + 1).map(({ seq }) => seq)).toEqual(range(1, seen.length - from - 1));
    }
  }, 40_000);
});
