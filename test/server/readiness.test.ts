// Readiness: a part that responds but does not work is detected, named without secrets, and not checked too often.
import { rmSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';
import { createRedisLog } from '../../src/log/redis/redis-log.ts';
import { createHealthCheck, createReadiness } from '../../src/rest/health.ts';
import { startApp } from '../support/app.ts';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import { describeOwnRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { startCluster } from '../support/redis-cluster.ts';
import { askServer } from '../support/redis-sentinel.ts';
import { until } from '../support/wait.ts';

async function readinessOf(url: string) {
  const response = await fetch(`${url}/health/ready`);
  return [response.status, ((await response.json()) as { parts: object }).parts];
}

describeOwnRedis('a Redis that rejects writes', () => {
  async function expectReason(
    redis: RedisServer,
    reason: RegExp,
    makeReject: (client: Redis) => Promise<unknown>,
  ) {
    await using log = disposable(createRedisLog({ redis: redis.url, prefix: 'p:' }));
    await using app = await startApp({ log });
    expect(await readinessOf(app.url)).toEqual([200, { log: 'ok', database: 'ok' }]);
    expect(await askServer(redis.port, makeReject)).toBeDefined();
    await until(async () => (await readinessOf(app.url))[0] === 503);
    const [, parts] = await readinessOf(app.url);
    expect(parts).toEqual({ log: expect.stringMatching(reason), database: 'ok' });
    expect(JSON.stringify(parts)).not.toContain('127.0.0.1');
  }

  test('a Redis that is out of memory is not ready, with the reason', async () => {
    await using redis = await startRedis();
    await expectReason(redis, /^Redis rejects writes: it is out of memory/, (client) =>
      client.config('SET', 'maxmemory', '1'),
    );
    await askServer(redis.port, (client) => client.config('SET', 'maxmemory', '0'));
  });

  test('a Redis that became a read-only replica is not ready, and reads in flight succeed', async () => {
    await using redis = await startRedis();
    await expectReason(redis, /^Redis rejects writes: it is a read-only replica$/, (client) =>
      client.replicaof('127.0.0.1', 1),
    );
    await using log = disposable(createRedisLog({ redis: redis.url }));
    await expect(log.ping()).rejects.toThrow('read-only replica');
    const clients = await askServer(redis.port, (client) => client.client('LIST'));
    await expect(log.ping()).rejects.toThrow('read-only replica');
    // The connections are the same: a rejected write closes none.
    const idsOf = (list: unknown) =>
      Array.from(String(list).matchAll(/^id=(\d+) .*name=execstream-log /gm), ([, id]) => id);
    expect(idsOf(await askServer(redis.port, (client) => client.client('LIST')))).toEqual(idsOf(clients));
  });

  test('a Redis with too few connected replicas is not ready', async () => {
    await using redis = await startRedis();
    await expectReason(redis, /^Redis rejects writes: too few replicas/, (client) =>
      client.config('SET', 'min-replicas-to-write', '1'),
    );
  });

  test('a Redis whose snapshots fail is not ready', async () => {
    await using redis = await startRedis();
    await expectReason(redis, /^Redis rejects writes: it cannot save its data to disk/, async (client) => {
      await client.config('SET', 'save', '3600 1');
      rmSync(redis.folder, { recursive: true });
      await client.bgsave();
      return until(async () => (await client.info('persistence')).includes('rdb_last_bgsave_status:err'));
    });
  });

  test('Redis is checked with a key that expires', async () => {
    await using redis = await startRedis();
    await using log = disposable(createRedisLog({ redis: redis.url, prefix: 'p:' }));
    await log.ping();
    expect(await askServer(redis.port, (client) => client.keys('*'))).toEqual(['p:stream:health']);
    expect(await askServer(redis.port, (client) => client.pttl('p:stream:health'))).toBeGreaterThan(0);
  });

  test('a Redis cluster is not ready once no master accepts writes', async () => {
    await using cluster = await startCluster();
    await using log = disposable(createRedisLog({ redis: cluster.url }));
    await log.ping();
    const written = await Promise.all(
      cluster.masters.map(({ port }) => askServer(port, (client) => client.keys('stream:health:*'))),
    );
    expect(written.map((keys) => keys?.length)).toEqual([1, 1, 1]);
    const [one, ...others] = cluster.masters;
    const fill = ({ port }: RedisServer) =>
      askServer(port, (client) => client.config('SET', 'maxmemory', '1'));
    await Promise.all(others.map(fill));
    await log.ping();
    await fill(one!);
    await expect(log.ping()).rejects.toThrow('Redis rejects writes: it is out of memory');
  }, 30_000);
});

describePostgres('a Postgres that is read-only', () => {
  test('a read-only Postgres is not ready, with the reason', async () => {
    await using database = await createDatabase();
    await using store = disposable(createPrismaStore({ url: database.url }, { maxConnections: 2 }));
    await using app = await startApp({ store });
    await until(async () => (await readinessOf(app.url))[0] === 200);
    await sql(database.url, `ALTER DATABASE ${database.name} SET default_transaction_read_only = on`);
    // Existing sessions can still write, so they are terminated; new ones cannot.
    await sql(
      database.url,
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    const reason =
      'database of executions is read-only: a hot standby, or default_transaction_read_only is on';
    await expect.poll(() => readinessOf(app.url)).toEqual([503, { log: 'ok', database: reason }]);
    const beginning = store.begin({ id: 'a1', kind: 'agent', mode: 'TEXT', attempt: 1 });
    await expect(beginning).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE', message: reason });
  });
});

describe('probes', () => {
  afterEach(() => void vi.useRealTimers());

  test('concurrent probes share one check', async () => {
    let checks = 0;
    let respond = () => {};
    const readiness = createReadiness(
      createHealthCheck({
        log: () => {
          checks += 1;
          return new Promise<void>((resolve) => {
            respond = resolve;
          });
        },
      }),
    );
    const all = Array.from({ length: 1_000 }, () => readiness(false));
    respond();
    for (const response of await Promise.all(all)) expect(response.status).toBe(200);
    expect(checks).toBe(1);
  });

  test('any number of probes causes up to five checks per second, and gets the latest result', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    let checks = 0;
    let isAway = false;
    const readiness = createReadiness(
      createHealthCheck({
        log: async () => {
          checks += 1;
          if (isAway) throw new ExecstreamError('SOURCE_UNAVAILABLE', 'away');
        },
      }),
    );
    for (let i = 0; i < 1_000; i += 1) expect((await readiness(false)).status).toBe(200);
    expect(checks).toBe(5);
    isAway = true;
    expect((await readiness(false)).status).toBe(200);
    vi.advanceTimersByTime(1_000);
    expect((await readiness(false)).status).toBe(503);
    expect(checks).toBe(6);
  });

  test('probes show only messages that are meant for clients', async () => {
    const readiness = createReadiness(
      createHealthCheck({
        log: async () => {
          throw new Error('connect ECONNREFUSED user:secret@10.0.0.7');
        },
        database: async () => {
          throw new ExecstreamError('SOURCE_UNAVAILABLE', 'the reason');
        },
      }),
    );
    const response = await readiness(false);
    expect([response.status, await response.json()]).toEqual([
      503,
      { status: 'unavailable', parts: { log: 'check failed', database: 'the reason' } },
    ]);
  });
});

function disposable<T extends { close(): Promise<void> }>(part: T): T & AsyncDisposable {
  return Object.assign(part, { [Symbol.asyncDispose]: () => part.close() });
}

async function sql(url: string, text: string): Promise<void> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(text).finally(() => client.end());
}
