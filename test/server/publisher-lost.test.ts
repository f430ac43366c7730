// Executions whose publisher is lost end on a real server, even if their heartbeats are lost or were never stored:
// Redis is emptied, a begin fails because of Redis, a server with embedded parts is killed. Prints how long each took.
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';
import { createRedisLog } from '../../src/log/redis/redis-log.ts';
import { createPublisher } from '../../src/worker.ts';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import { describeOwnRedis, startRedis } from '../support/redis.ts';
import { openSse } from '../support/sse.ts';
import { type ServerProcess, startProcess } from './process.ts';

/** Long enough for the heartbeats of live publishers on a busy machine. */
const LOST_MS = 5_000;
/** The documented time: PUBLISHER_LOST_MS and two sweeps, each a third of it with a jitter of a sixth. */
const DOCUMENTED_MS = LOST_MS + 2 * (LOST_MS / 3) * (7 / 6);
/** The timeout of the test, for a busy machine. */
const TIMEOUT_MS = 25_000;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const api = ({ url }: ServerProcess, path: string) => `${url}/api/v0/executions/${path}`;

async function send(server: ServerProcess, method: string, path: string, body: object, headers = {}) {
  const response = await fetch(api(server, path), {
    method,
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', ...headers },
  });
  // biome-ignore lint/suspicious/noExplicitAny: tests read arbitrary JSON.
  return { status: response.status, body: (await response.json()) as any };
}
const put = (server: ServerProcess, id: string, body = {}) =>
  send(server, 'PUT', `agents/${id}`, { mode: 'TEXT', ...body });
const post = (server: ServerProcess, id: string, token: string, events: object[]) =>
  send(
    server,
    'POST',
    `agents/${id}/events`,
    { events },
    { 'Publisher-Token': token, 'Idempotency-Key': `${Math.random()}` },
  );

/** An execution's status with the code of its error, or the status of the response if it is not 200. */
async function stateOf(server: ServerProcess, id: string): Promise<string> {
  const response = await fetch(api(server, `agents/${id}`)).catch(() => undefined);
  if (response?.status !== 200) return `${response?.status}`;
  const { status, error } = (await response.json()) as { status: string; error?: { code?: string } };
  return error ? `${status} ${error.code}` : status;
}

/** Waits until all of these have ended as lost; prints and returns how long the last one took. */
async function untilLost(server: ServerProcess, ids: readonly string[], since: number, what: string) {
  const states = () => Promise.all(ids.map((id) => stateOf(server, id)));
  const expected = ids.map(() => 'FAILED PUBLISHER_LOST');
  await expect.poll(states, { timeout: TIMEOUT_MS, interval: 50 }).toEqual(expected);
  const tookMs = Math.round(performance.now() - since);
  console.log(`${what}: final after ${tookMs} ms (documented ${Math.round(DOCUMENTED_MS)})`);
  return tookMs;
}

describeOwnRedis('with Redis and Postgres', () => {
  describePostgres('of the test', () => {
    async function setUp() {
      const redis = await startRedis();
      closing.push(() => redis.stop());
      const database = await createDatabase();
      closing.push(() => database.drop());
      const env = { REDIS_URL: redis.url, DATABASE_URL: database.url };
      const server = await startProcess({ ...env, PUBLISHER_LOST_MS: `${LOST_MS}` }, 'command');
      closing.push(() => server.stop());
      const client = new Redis(redis.url);
      client.on('error', () => {});
      closing.push(() => client.disconnect());
      const sql = new pg.Client({ connectionString: database.url });
      await sql.connect();
      closing.push(() => sql.end());
      return { redis, database, server, client, sql };
    }

    test('after Redis is emptied, executions of lost publishers end in time, but not live ones or rows by plain SQL', async () => {
      const { redis, database, server, client, sql } = await setUp();
      const log = createRedisLog({ redis: redis.url });
      closing.push(() => log.close());
      const store = createPrismaStore({ url: database.url });
      closing.push(() => store.close());
      const publisher = createPublisher({ log, store });
      closing.push(() => publisher.close());

      const lost = ['http-1', 'http-2', 'watched', 'library'];
      for (const id of lost.slice(0, 3)) expect((await put(server, id)).status).toBe(201);
      const dead = createPublisher({ log, store });
      await dead.begin({ id: 'library', kind: 'agent' });
      await dead.close();
      using stream = await openSse(api(server, 'agents/watched/stream'));
      await stream.take(1);

      // A run sends a heartbeat every 10 s, too seldom for this PUBLISHER_LOST_MS, so the test records more.
      const run = await publisher.begin({ id: 'live-library', kind: 'agent' });
      await run.text('before ');
      let token = (await put(server, 'live-http')).body.token;
      await sql.query(`INSERT INTO execstream.execution (id, kind) VALUES ('plain-sql', 'agent')`);

      await client.flushall();
      const since = performance.now();
      const stopping = new AbortController();
      const keepAlive = async () => {
        while (!stopping.signal.aborted) {
          await log.recordHeartbeat('live-library');
          const { status } = await post(server, 'live-http', token, []);
          if (status === 409) token = (await put(server, 'live-http')).body.token;
          await sleep(300);
        }
      };
      const keepingAlive = keepAlive();
      closing.push(() => stopping.abort());
      await untilLost(server, lost, since, 'FLUSHALL while the publisher is gone');
      const { event, data } = await stream.frame(({ event }) => event === 'error', 'the end');
      expect([event, JSON.parse(data).code]).toEqual(['error', 'PUBLISHER_LOST']);

      // Waits as long again as the lost executions took at most.
      await sleep(DOCUMENTED_MS);
      const open = ['live-library', 'live-http', 'plain-sql'];
      expect(await Promise.all(open.map((id) => stateOf(server, id)))).toEqual(open.map(() => 'RUNNING'));
      await run.text('after');
      expect(await run.complete()).toBe(true);
      expect((await store.get('live-library'))?.result).toBe('before after');
      stopping.abort();
      await keepingAlive;
      expect((await post(server, 'live-http', token, [{ type: 'complete', data: {} }])).status).toBe(200);
    }, 120_000);

    test('a PUT that fails with 503, because Redis is down or rejects writes, leaves no row', async () => {
      const { redis, server, client, sql } = await setUp();
      const { body: first } = await put(server, 'known', { name: 'first' });
      const rows = async () =>
        (await sql.query('SELECT id, attempt, status, name FROM execstream.execution ORDER BY id')).rows;
      const before = [{ id: 'known', attempt: 1, status: 'RUNNING', name: 'first' }];
      const heartbeats = setInterval(() => void post(server, 'known', first.token, []).catch(() => {}), 500);
      closing.push(() => clearInterval(heartbeats));

      // A replica rejects writes but serves reads, so the row is created and then removed.
      await client.replicaof('127.0.0.1', 1);
      await client.config('SET', 'replica-serve-stale-data', 'yes');
      expect(await put(server, 'new')).toMatchObject({ status: 503, body: { code: 'SOURCE_UNAVAILABLE' } });
      expect((await put(server, 'known', { name: 'second' })).status).toBe(503);
      expect(await rows()).toEqual(before);
      await client.replicaof('NO', 'ONE');
      const end = [
        { type: 'llm_chunk', data: { content: 'x' } },
        { type: 'complete', data: {} },
      ];
      clearInterval(heartbeats);
      expect((await post(server, 'known', first.token, end)).status).toBe(200);

      redis.freeze();
      const since = performance.now();
      const rejected = await put(server, 'new');
      expect(rejected).toMatchObject({ status: 503, body: { code: 'SOURCE_UNAVAILABLE' } });
      console.log(`a PUT while Redis is frozen: 503 after ${Math.round(performance.now() - since)} ms`);
      redis.thaw();
      await redis.kill();
      expect((await put(server, 'new')).status).toBe(503);
      await redis.restart();
      await expect.poll(async () => (await put(server, 'probe')).status, { timeout: 10_000 }).toBe(201);
      expect((await rows()).map(({ id }) => id)).toEqual(['known', 'probe']);
      expect(await stateOf(server, 'new')).toBe('404');
      expect(await put(server, 'new')).toMatchObject({ status: 201, body: { attempt: 1 } });
    }, 120_000);
  });
});

test('executions of a killed server with embedded parts end in time after it is started again', async () => {
  const server = await startProcess({ PUBLISHER_LOST_MS: `${LOST_MS}` }, 'command');
  closing.push(() => server.stop());
  const ids = ['a1', 'a2'];
  for (const id of ids) {
    const { token } = (await put(server, id)).body;
    expect((await post(server, id, token, [{ type: 'llm_chunk', data: { content: 'x' } }])).status).toBe(200);
  }
  await server.kill();
  await server.start();
  // Waits for the database, which opens its files after the server listens.
  expect(await stateOf(server, 'a1')).toBe('RUNNING');
  const since = performance.now();
  using stream = await openSse(api(server, 'agents/a1/stream'));
  await untilLost(server, ids, since, 'SIGKILL of the embedded server, after its restart');
  const { data } = await stream.frame(({ event }) => event === 'error', 'the end');
  expect(JSON.parse(data).code).toBe('PUBLISHER_LOST');
}, 180_000);
