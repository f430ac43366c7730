// The limit of stream tokens per caller: one caller cannot use up all that a server or a Redis can store.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ANONYMOUS, type Caller } from '../../src/execution/permission.ts';
import { createStreamTokens } from '../../src/server/auth/stream-tokens.ts';
import { createMemoryTokenRecords, createRedisTokenRecords } from '../../src/server/auth/token-records.ts';
import { describeRedis, sharedRedisUrl } from '../support/redis.ts';
import { until } from '../support/wait.ts';

const MINUTE = 60_000;
const ann: Caller = { id: 'ann', tenant: 'acme' };
const others: Caller[] = [{ id: 'bob', tenant: 'acme' }, { id: 'ann', tenant: 'globex' }, { id: 'ann' }];
const TOO_MANY = {
  code: 'TOO_MANY_REQUESTS',
  message: 'too many stream tokens for this caller (limit 2)',
};

describe('in memory', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());

  const tokens = createStreamTokens(createMemoryTokenRecords(), { sessionMs: 3 * MINUTE, perCaller: 2 });
  const mint = async (caller = ann) => (await tokens.mint(caller, ['a1'])).token;

  test('a caller has no more tokens than the limit, and a removed token frees its place', async () => {
    const [used] = [await mint(), await mint()];
    await expect(mint()).rejects.toMatchObject(TOO_MANY);
    for (const other of others) await mint(other);
    // A token that was not used in time is removed; a used one stays until the end of its session.
    await tokens.redeem(used);
    vi.advanceTimersByTime(MINUTE);
    const unused = await mint();
    await expect(mint()).rejects.toMatchObject(TOO_MANY);
    await tokens.revoke(ann, unused);
    await mint();
    await expect(mint()).rejects.toMatchObject(TOO_MANY);
    vi.advanceTimersByTime(2 * MINUTE);
    await mint();
    await mint();
    await expect(mint()).rejects.toMatchObject(TOO_MANY);
  });

  test('there is no limit without authentication', async () => {
    for (let i = 0; i < 10; i += 1) await mint(ANONYMOUS);
  });

  test('at the limit, a flood of requests does not search all records for expired ones every time', async () => {
    const records = createMemoryTokenRecords();
    const owner = { id: 'ann', limit: 50_000 };
    for (let i = 0; i < owner.limit; i += 1) await records.put(`${i}`, 'r', MINUTE, owner);
    const from = performance.now();
    for (let i = 0; i < 5_000; i += 1) expect(await records.put('more', 'r', MINUTE, owner)).toBe(false);
    expect(performance.now() - from).toBeLessThan(2_000);
  });
});

describeRedis('on Redis', () => {
  const prefix = () => `tokens-${crypto.randomUUID()}:`;

  test('the limit holds across all servers, also for concurrent requests', async () => {
    const shared = prefix();
    const servers = [1, 2, 3].map(() =>
      createStreamTokens(createRedisTokenRecords(sharedRedisUrl(), shared), {
        sessionMs: MINUTE,
        perCaller: 2,
      }),
    );
    const mint = (i: number, caller = ann) => servers[i % 3]!.mint(caller, ['a1']);
    const all = await Promise.allSettled(Array.from({ length: 30 }, (_, i) => mint(i)));
    const minted = all.flatMap((each) => (each.status === 'fulfilled' ? each.value.token : []));
    expect(minted).toHaveLength(2);
    for (const each of all) if (each.status === 'rejected') expect(each.reason).toMatchObject(TOO_MANY);
    for (const other of others) await mint(0, other);
    await servers[1]!.revoke(ann, minted[0]!);
    const { token } = await mint(2);
    for (const accepted of [minted[1]!, token]) expect(await servers[0]!.redeem(accepted)).toMatchObject(ann);
    await Promise.all(servers.map((server) => server.close()));
  });

  test('a record counts until it expires: soon if unused, with its session if used', async () => {
    const records = createRedisTokenRecords(sharedRedisUrl(), prefix());
    const owner = { id: 'ann', limit: 2 };
    expect(await records.put('used', 'r', 300, owner)).toBe(true);
    expect(await records.put('unused', 'r', 300, owner)).toBe(true);
    expect(await records.put('more', 'r', 300, owner)).toBe(false);
    expect(await records.get('more')).toBeUndefined();
    expect(await records.keepUntil('used', Date.now() + MINUTE, owner.id)).toBe(true);
    await until(async () => (await records.get('unused')) === undefined);
    await until(() => records.put('next', 'r', MINUTE, owner));
    expect(await records.put('more', 'r', MINUTE, owner)).toBe(false);
    expect(await records.get('used')).toBe('r');
    await records.close();
  });
});
