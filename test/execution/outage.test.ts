// Outages of the database: methods reject within their timeout, and succeed once it is back.
import { describe, expect, test } from 'vitest';
import { createPrismaStore, type PrismaStore } from '../../src/execution/prisma-store.ts';
import { createDatabase, describeOwnPostgres, describePostgres, startPostgres } from '../support/postgres.ts';
import { until } from '../support/wait.ts';
import { freePort, startFreezingProxy, startHangingServer } from './failing-servers.ts';

const task = (id: string) => ({ id, kind: 'task' as const, mode: 'TEXT' as const });

/** The timeout of a store, and its tolerance on a busy machine. */
const TIMEOUT_MS = 600;
const SLACK_MS = 700;

/** A connected store: its timeout is short, so it may need more than one attempt on a busy machine. */
async function createReadyStore(url: string): Promise<PrismaStore> {
  const store = createPrismaStore({ url }, { timeoutMs: TIMEOUT_MS });
  await until(() => store.ping().then(() => true), { what: 'the store to connect' });
  return store;
}

/** Calls every method and expects each to reject; returns how long the slowest took, in ms. */
async function expectUnavailable(store: PrismaStore): Promise<number> {
  const started = performance.now();
  const calls = [
    store.begin(task('away')),
    store.setStatus('away', 1, 'RUNNING'),
    store.finish('away', 1, { status: 'SUCCESS' }),
    store.markEnd('away', { seq: 1, epoch: 'abcdefghij' }),
    store.get('away'),
    store.list({ first: 1 }),
    store.getMany(['away']),
    store.childrenOf(['away'], { first: 1 }),
    store.contents(['away'], 'result', 1),
    store.statesAfter('away', 0, 1),
    store.ping(),
  ];
  for (const { status, reason } of (await Promise.allSettled(calls)) as PromiseRejectedResult[]) {
    expect({ status, code: reason?.code, message: reason?.message }).toEqual({
      status: 'rejected',
      code: 'SOURCE_UNAVAILABLE',
      message: 'database of executions is unavailable',
    });
    expect(reason.cause).toBeInstanceOf(Error);
  }
  return performance.now() - started;
}

describe('a database that was never available', () => {
  test('methods reject within the timeout if the server hangs', async () => {
    const server = await startHangingServer();
    const store = createPrismaStore({ url: server.url }, { timeoutMs: TIMEOUT_MS });
    const ready = expect(store.ready()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    const tookMs = await expectUnavailable(store);
    await ready;
    expect(tookMs).toBeGreaterThan(TIMEOUT_MS - 50);
    expect(tookMs).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    await store.close();
    server.stop();
  });

  test('methods reject immediately if there is no server', async () => {
    const url = `postgresql://postgres@127.0.0.1:${await freePort()}/postgres`;
    const store = createPrismaStore({ url });
    expect(await expectUnavailable(store)).toBeLessThan(1000);
    await store.close();
  });

  test('methods reject after close', async () => {
    const store = createPrismaStore({ url: 'postgresql://postgres@127.0.0.1:1/postgres' });
    await store.close();
    await expect(store.get('a')).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
  });
});

describePostgres('a database that freezes', () => {
  test('methods reject within the timeout while a server is frozen, and succeed afterwards', async () => {
    await using database = await createDatabase();
    const proxy = await startFreezingProxy(database.url);
    const store = await createReadyStore(proxy.url);
    await until(() => store.begin({ ...task('a'), attempt: 1 }), { what: 'the row' });
    proxy.freeze();
    expect(await expectUnavailable(store)).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    // More calls than connections: no connection is lost permanently.
    const calls = Array.from({ length: 50 }, () => store.get('a'));
    const started = performance.now();
    for (const { status } of await Promise.allSettled(calls)) expect(status).toBe('rejected');
    expect(performance.now() - started).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    proxy.thaw();
    await until(() => store.ping().then(() => true), { what: 'the store to recover' });
    expect(await until(() => store.get('a'), { what: 'the row after the thaw' })).toMatchObject({
      attempt: 1,
    });
    await store.close();
    proxy.stop();
  });

  test('close does not wait for connections that hang', async () => {
    await using database = await createDatabase();
    const proxy = await startFreezingProxy(database.url);
    const store = await createReadyStore(proxy.url);
    proxy.freeze();
    const call = expect(store.get('a')).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    const started = performance.now();
    await store.close();
    expect(performance.now() - started).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    await call;
    proxy.stop();
  });
});

describeOwnPostgres('a database that is killed and restarted', () => {
  test('a store created during an outage migrates after it, and survives a crash of the server', async () => {
    await using postgres = await startPostgres();
    await postgres.kill();
    const store = createPrismaStore({ url: postgres.url }, { timeoutMs: 5000 });
    await expectUnavailable(store);
    await postgres.restart();
    await store.begin(task('a'));

    await Promise.all(Array.from({ length: 10 }, () => store.get('a')));
    await postgres.kill();
    expect(await expectUnavailable(store)).toBeLessThan(5000 + SLACK_MS);
    await postgres.restart();
    expect((await store.get('a'))?.status).toBe('RUNNING');
    const ended = await store.finish('a', 1, { status: 'SUCCESS', result: 'back' });
    expect(ended).toMatchObject({ status: 'SUCCESS', result: 'back' });
    await store.close();
  });
});
