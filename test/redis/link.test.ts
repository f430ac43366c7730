// The invariants of a link to Redis (src/redis/link.ts), each with its test.
import { afterEach, expect, test } from 'vitest';
import { type Link, type LinkOptions, openLink } from '../../src/redis/link.ts';
import { reconnectDelay } from '../../src/redis/redis-client.ts';
import { describeOwnRedis, startRedis } from '../support/redis.ts';
import { type FakeRedis, OK, startFakeRedis } from '../support/redis-fake.ts';
import { until } from '../support/wait.ts';

const UNAVAILABLE = { name: 'ExecstreamError', code: 'SOURCE_UNAVAILABLE' };

const links: Link[] = [];
afterEach(async () => {
  await Promise.all(links.splice(0).map((link) => link.close()));
});

function newLink(options: Partial<LinkOptions> & Pick<LinkOptions, 'redis'>): Link {
  const link = openLink({ name: 'link', timeoutMs: 1_000, ...options });
  links.push(link);
  return link;
}

const urlOf = ({ port }: FakeRedis) => `redis://127.0.0.1:${port}`;
const clientId = (link: Link) => link.run((redis) => redis.client('ID'));

describeOwnRedis('a link', () => {
  test('a link never sends a command that could not be sent within its timeout', async () => {
    await using server = await startRedis();
    await server.kill();
    const link = newLink({ redis: server.url, timeoutMs: 200 });
    await expect(link.run((redis) => redis.set('key', 'late'))).rejects.toMatchObject(UNAVAILABLE);
    await server.restart();
    expect(await until(() => link.run((redis) => redis.ping()))).toBe('PONG');
    expect(await link.run((redis) => redis.get('key'))).toBeNull();
  });

  test('a link rejects a command whose connection ends before its reply, and reconnects', async () => {
    await using server = await startRedis();
    const [link, probe] = [newLink({ redis: server.url }), newLink({ redis: server.url })];
    const id = await clientId(link);
    const blocked = expect(link.run((redis) => redis.blpop('list', 0), 10_000)).rejects.toMatchObject(
      UNAVAILABLE,
    );
    await until(() => probe.run((redis) => redis.client('KILL', 'ID', id)));
    await blocked;
    expect(await clientId(link)).not.toBe(id);
  });

  test('a command that times out drops its connection only if it had half the timeout or longer', async () => {
    await using server = await startRedis();
    const link = newLink({ redis: server.url, timeoutMs: 600 });
    const probe = newLink({ redis: server.url });
    const id = await clientId(link);
    await expect(link.run((redis) => redis.blpop('list', 0), 50)).rejects.toMatchObject(UNAVAILABLE);
    await probe.run((redis) => redis.rpush('list', 'x'));
    expect(await clientId(link)).toBe(id);
    await expect(link.run((redis) => redis.blpop('list', 0), 350)).rejects.toMatchObject(UNAVAILABLE);
    expect(await clientId(link)).not.toBe(id);
  });

  test('a link prepares each connection before the first command, and drops one on which that fails', async () => {
    await using server = await startRedis();
    const prepared: boolean[] = [];
    const link = newLink({
      redis: server.url,
      timeoutMs: 300,
      prepare: async (redis) => {
        prepared.push(prepared.length > 0);
        if (!prepared.at(-1)) throw new Error('not prepared');
        await redis.client('SETNAME', `prepared-${prepared.length}`);
      },
    });
    await expect(link.run((redis) => redis.ping(), 100)).rejects.toMatchObject(UNAVAILABLE);
    expect(link.usable).toBe(false);
    await until(() => link.usable);
    expect(await link.run((redis) => redis.client('GETNAME'))).toBe('prepared-2');
  });

  test('a link reports when it becomes usable and unusable', async () => {
    await using server = await startRedis();
    const changes: boolean[] = [];
    const link = newLink({ redis: server.url, onChange: () => changes.push(link.usable) });
    await link.run((redis) => redis.ping());
    await server.kill();
    await until(() => !link.usable && changes.at(-1) === false);
    await server.restart();
    await until(() => link.usable);
    expect([changes[0], changes.at(-1)]).toEqual([true, true]);
    expect(changes).toContain(false);
  });
});

test('a connection on which replies got out of step with their commands is dropped', async () => {
  let connections = 0;
  await using server = await startFakeRedis(([name]) => {
    if (name === 'CLIENT') connections += 1;
    return name === 'TWICE' ? `${OK}+UNASKED\r\n` : OK;
  });
  const link = newLink({ redis: urlOf(server) });
  await link.run((redis) => redis.ping());
  expect(connections).toBe(1);
  await link.run((redis) => redis.call('TWICE'));
  await until(() => connections === 2 && link.usable);
});

test('a closed link rejects the calls that wait and all later ones', async () => {
  await using server = await startFakeRedis(() => undefined);
  const link = newLink({ redis: urlOf(server) });
  const waiting = expect(link.run((redis) => redis.ping())).rejects.toMatchObject(UNAVAILABLE);
  await link.close();
  await waiting;
  await expect(link.run((redis) => redis.ping())).rejects.toMatchObject(UNAVAILABLE);
  expect(link.usable).toBe(false);
});

test('the delay before a reconnection grows to 2 s, but not above half the timeout of a call', () => {
  for (const [timeoutMs, maxMs] of [
    [10_000, 2_000],
    [600, 300],
  ] as const) {
    const delays = Array.from({ length: 12 }, (_, i) => reconnectDelay(timeoutMs)(i + 1));
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...delays)).toBeLessThanOrEqual(maxMs);
    expect(delays.at(-1)).toBeGreaterThanOrEqual(maxMs / 2);
  }
});
