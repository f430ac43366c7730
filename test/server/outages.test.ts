// Outages of Redis and Postgres, at start and later: they are reported, and the server recovers (PROTOCOL.md,
// "Reconnecting").
import { afterEach, describe, expect, test } from 'vitest';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';
import type { EventLog } from '../../src/log/log.ts';
import { createRedisLog } from '../../src/log/redis/redis-log.ts';
import {
  EVENT_STREAM,
  graphqlPath,
  type ListeningApp,
  range,
  startApp,
  unfinishedText,
} from '../support/app.ts';
import { describeOwnPostgres, startPostgres } from '../support/postgres.ts';
import { describeOwnRedis, startRedis } from '../support/redis.ts';
import { openSse } from '../support/sse.ts';
import { graphqlUrl, restUrl } from './reader.ts';

const streamOf = (id: string) => graphqlPath(`subscription { agentStream(id: "${id}") { seq } }`);
const AGENT = streamOf('a1');
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Expects the responses of a server whose source is unavailable, to a new and to a reconnecting client. */
async function expectUnavailable(app: ListeningApp, id = 'a1'): Promise<void> {
  for (const path of [streamOf(id), `/api/v0/executions/agents/${id}/stream`]) {
    const [initial, reconnected] = await Promise.all([
      fetch(app.url + path, { headers: EVENT_STREAM }),
      fetch(app.url + path, { headers: { ...EVENT_STREAM, 'last-event-id': '1' } }),
    ]);
    expect(initial.status).toBe(503);
    expect(initial.headers.get('retry-after')).toBe('5');
    expect(await initial.text()).toContain('SOURCE_UNAVAILABLE');
    expect(reconnected.status).toBe(200);
    expect(await unfinishedText(reconnected)).toMatch(/^retry: 5000\n: .*\n\n$/);
  }
}

const statusOf = async (url: string) => {
  using stream = await openSse(url);
  return stream.status;
};

const readiness = async (app: ListeningApp) => {
  const response = await fetch(`${app.url}/health/ready`);
  return [response.status, ((await response.json()) as { parts: object }).parts];
};

describeOwnRedis('Redis', () => {
  async function appOn(url: string) {
    const log: EventLog = createRedisLog({ redis: url, commandTimeoutMs: 300 });
    const app = await startApp({ log, limits: { callMs: 300 } });
    closing.push(
      () => app.close(),
      () => log.close(),
    );
    return app;
  }

  test('Redis unavailable at start is SOURCE_UNAVAILABLE and named by readiness, until it recovers', async () => {
    await using redis = await startRedis();
    await redis.kill();
    const app = await appOn(redis.url);
    await app.store.begin({ id: 'a1', kind: 'agent', mode: 'TEXT', attempt: 1 });
    await expectUnavailable(app);
    expect(await readiness(app)).toEqual([503, { log: expect.stringContaining('Redis'), database: 'ok' }]);
    expect((await fetch(`${app.url}/health/live`)).status).toBe(200);
    const state = await fetch(`${app.url}/api/v0/executions/agents/a1`);
    expect(state.status).toBe(503);
    await redis.restart();
    await expect.poll(() => readiness(app), { timeout: 5_000 }).toEqual([200, { log: 'ok', database: 'ok' }]);
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent', attempt: 1 });
    // The subscriber connection reconnects independently.
    await expect.poll(() => statusOf(app.url + AGENT), { timeout: 5_000 }).toBe(200);
    using stream = await openSse(app.url + AGENT);
    await stream.take(1);
    await run.complete();
    expect(await stream.ended()).toBe('clean');
  });

  test.each([
    ['killed', (redis: Awaited<ReturnType<typeof startRedis>>) => redis.kill()],
    ['frozen', async (redis: Awaited<ReturnType<typeof startRedis>>) => redis.freeze()],
  ])('while Redis is %s, open streams get a warning, and continue afterwards', async (failure, interrupt) => {
    await using redis = await startRedis({ appendonly: true });
    const app = await appOn(redis.url);
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    await app.publisher.begin({ id: 'other', kind: 'agent' });
    await run.text('one');
    using rest = await openSse(restUrl(app.url, 'a1'));
    using graphql = await openSse(graphqlUrl(app.url, 'a1'));
    const streams = [rest, graphql];
    await Promise.all(streams.map((stream) => stream.take(2)));
    await interrupt(redis);
    await run.text('two');
    if (failure === 'killed') {
      await expect.poll(() => readiness(app)).toMatchObject([503, { database: 'ok' }]);
      await expectUnavailable(app, 'other');
      await redis.restart();
    } else {
      await expectUnavailable(app, 'other');
      redis.thaw();
    }
    await run.text('three');
    expect(await run.complete()).toBe(true);
    for (const stream of streams) {
      expect(await stream.ended(15_000)).toBe('clean');
      const events = stream.frames.filter(({ data }) => !/warning|SOURCE_UNAVAILABLE|WARNING/.test(data));
      const seqs = events.map(({ id }) => Number.parseInt(id!, 10));
      expect([...new Set(seqs)]).toEqual(range(1, Math.max(...seqs)));
    }
    const text = rest.frames.filter(({ event }) => event === 'llm_chunk').map(({ data }) => data);
    expect(text.join('')).toBe('onetwothree');
    const warnings = rest.frames.filter(({ event }) => event === 'warning');
    expect(warnings.length).toBeLessThanOrEqual(2);
    for (const { data } of warnings) expect(JSON.parse(data)).toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
  });
});

describeOwnPostgres('Postgres', () => {
  test('Postgres unavailable at start or later is SOURCE_UNAVAILABLE, and open streams continue', async () => {
    await using postgres = await startPostgres();
    await postgres.kill();
    const store = createPrismaStore({ url: postgres.url });
    store.ready().catch(() => {});
    const app = await startApp({ store });
    closing.push(
      () => app.close(),
      () => store.close(),
    );
    await expectUnavailable(app);
    expect(await readiness(app)).toEqual([503, { log: 'ok', database: expect.any(String) }]);
    const list = await fetch(app.url + graphqlPath('{ executions { edges { node { id } } } }'), {
      headers: { accept: 'application/json' },
    });
    expect(await list.json()).toMatchObject({ errors: [{ extensions: { code: 'SOURCE_UNAVAILABLE' } }] });
    expect(list.status).toBe(503);

    await postgres.restart();
    await expect
      .poll(() => readiness(app), { timeout: 15_000 })
      .toEqual([200, { log: 'ok', database: 'ok' }]);
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    using stream = await openSse(restUrl(app.url, 'a1'));
    await stream.take(1);

    // An open stream needs no database; a new one gets 503.
    await postgres.kill();
    await run.text('written during it');
    await stream.frame(({ data }) => data === 'written during it', 'the chunk');
    await expectUnavailable(app);
    await postgres.restart();
    expect(await run.complete()).toBe(true);
    expect(await stream.ended()).toBe('clean');
    await expect
      .poll(async () => (await fetch(`${app.url}/api/v0/executions/agents/a1`)).status, { timeout: 15_000 })
      .toBe(200);
  });
});

describe('a part that fails once', () => {
  test('a log that fails for one request serves the next one', async () => {
    const app = await startApp();
    closing.push(() => app.close());
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    const listen = app.log.listen;
    app.log.listen = async () => {
      app.log.listen = listen;
      const { ExecstreamError } = await import('../../src/event/errors.ts');
      throw new ExecstreamError('SOURCE_UNAVAILABLE', 'not now');
    };
    expect((await fetch(app.url + AGENT, { headers: EVENT_STREAM })).status).toBe(503);
    expect(app.services.tails.size).toBe(0);
    using stream = await openSse(app.url + AGENT);
    await stream.take(1);
    await run.complete();
    expect(await stream.ended()).toBe('clean');
  });
});
