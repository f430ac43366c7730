// What happens while the database is away: methods reject within their bound, and go through when it is back.
import { describe, expect, test } from 'vitest';
import { createPrismaStore, type PrismaStore } from '../../src/execution/prisma-store.ts';
import { createDatabase, describeOwnPostgres, describePostgres, startPostgres } from '../support/postgres.ts';
import { until } from '../support/wait.ts';
import { freePort, startFreezingProxy, startHangingServer } from './failing-servers.ts';

const task = (id: string) => ({ id, kind: 'task' as const, mode: 'TEXT' as const });

/** The bound of a store before a frozen server, and what its keeping may take on a busy machine. */
const BOUND_MS = 600;
const SLACK_MS = 700;

/** A store that is connected: its bound is short, so that on a busy machine it may need more than one try. */
async function createReadyStore(url: string): Promise<PrismaStore> {
  const store = createPrismaStore({ url }, { timeoutMs: BOUND_MS });
  await until(() => store.ping().then(() => true), { what: 'the store to connect' });
  return store;
}

/** Calls every method, and answers how long the slowest took to reject as it should. */
async function expectAway(store: PrismaStore): Promise<number> {
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
    store.ended(['away']),
    store.ping(),
  ];
  for (const { status, reason } of (await Promise.allSettled(calls)) as PromiseRejectedResult[]) {
    expect({ status, code: reason?.code, message: reason?.message }).toEqual({
      status: 'rejected',
      code: 'SOURCE_UNAVAILABLE',
      message: 'The database of executions does not answer',
    });
    expect(reason.cause).toBeInstanceOf(Error);
  }
  return performance.now() - started;
}

describe('never there', () => {
  test('a server that hangs is given up within the bound', async () => {
    const server = await startHangingServer();
    const store = createPrismaStore({ url: server.url }, { timeoutMs: BOUND_MS });
    const ready = expect(store.ready()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    const took = await expectAway(store);
    await ready;
    expect(took).toBeGreaterThan(BOUND_MS - 50);
    expect(took).toBeLessThan(BOUND_MS + SLACK_MS);
    await store.close();
    server.stop();
  });

  test('a server that refuses is told at once', async () => {
    const url = `postgresql://postgres@127.0.0.1:${await freePort()}/postgres`;
    const store = createPrismaStore({ url });
    expect(await expectAway(store)).toBeLessThan(1000);
    await store.close();
  });

  test('after close, every method rejects', async () => {
    const store = createPrismaStore({ url: 'postgresql://postgres@127.0.0.1:1/postgres' });
    await store.close();
    await expect(store.get('a')).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
  });
});

describePostgres('frozen in the middle', () => {
  test('methods reject within the bound, and go through once it thaws', async () => {
    await using database = await createDatabase();
    const proxy = await startFreezingProxy(database.url);
    const store = await createReadyStore(proxy.url);
    await until(() => store.begin({ ...task('a'), attempt: 1 }), { what: 'the row' });
    proxy.freeze();
    expect(await expectAway(store)).toBeLessThan(BOUND_MS + SLACK_MS);
    // More calls than there are connections: none of them is lost for good.
    const calls = Array.from({ length: 50 }, () => store.get('a'));
    const started = performance.now();
    for (const { status } of await Promise.allSettled(calls)) expect(status).toBe('rejected');
    expect(performance.now() - started).toBeLessThan(BOUND_MS + SLACK_MS);
    proxy.thaw();
    await until(() => store.ping().then(() => true), { what: 'the store to recover' });
    expect(await until(() => store.get('a'), { what: 'the row after the thaw' })).toMatchObject({
      attempt: 1,
    });
    await store.close();
    proxy.stop();
  });

  test('close gives up on connections that hang', async () => {
    await using database = await createDatabase();
    const proxy = await startFreezingProxy(database.url);
    const store = await createReadyStore(proxy.url);
    proxy.freeze();
    const call = expect(store.get('a')).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    const started = performance.now();
    await store.close();
    expect(performance.now() - started).toBeLessThan(BOUND_MS + SLACK_MS);
    await call;
    proxy.stop();
  });
});

describeOwnPostgres('killed and back', () => {
  test('a store made while it is away migrates when it comes, and survives a crash of the server', async () => {
    await using postgres = await startPostgres();
    await postgres.kill();
    const store = createPrismaStore({ url: postgres.url }, { timeoutMs: 5000 });
    await expectAway(store);
    await postgres.restart();
    await store.begin(task('a'));

    await Promise.all(Array.from({ length: 10 }, () => store.get('a')));
    await postgres.kill();
    expect(await expectAway(store)).toBeLessThan(5000 + SLACK_MS);
    await postgres.restart();
    expect((await store.get('a'))?.status).toBe('RUNNING');
    const ended = await store.finish('a', 1, { status: 'SUCCESS', result: 'back' });
    expect(ended).toMatchObject({ status: 'SUCCESS', result: 'back' });
    await store.close();
  });
});
