// A separate Redis can be killed, frozen and restarted, with or without its data.
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { describeOwnRedis, describeRedis, sharedRedisUrl, startRedis } from './redis.ts';

async function withClient<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { retryStrategy: () => null });
  client.on('error', () => {});
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

const get = (url: string) => withClient(url, (client) => client.get('key'));
const set = (url: string, value: string) => withClient(url, (client) => client.set('key', value));

describeRedis('the shared Redis', () => {
  test('responds', async () => {
    expect(await withClient(sharedRedisUrl(), (client) => client.ping())).toBe('PONG');
  });
});

describeOwnRedis('a separate Redis', () => {
  test('keeps acknowledged writes after a kill if it is append-only, on the same URL', async () => {
    await using redis = await startRedis({ appendonly: true });
    await set(redis.url, 'kept');
    await redis.kill();
    await expect(get(redis.url)).rejects.toThrow();
    await redis.restart();
    expect(await get(redis.url)).toBe('kept');
  });

  test('loses writes after a SAVE if it is not append-only', async () => {
    await using redis = await startRedis();
    await set(redis.url, 'saved');
    await withClient(redis.url, (client) => client.save());
    await set(redis.url, 'lost');
    await redis.restart();
    expect(await get(redis.url)).toBe('saved');
  });

  test('does not respond while frozen, and responds once thawed', async () => {
    await using redis = await startRedis();
    await set(redis.url, 'a');
    redis.freeze();
    const reading = get(redis.url);
    const first = await Promise.race([
      reading,
      new Promise((resolve) => setTimeout(resolve, 200, 'nothing')),
    ]);
    expect(first).toBe('nothing');
    redis.thaw();
    expect(await reading).toBe('a');
  });

  test('accepts additional arguments', async () => {
    await using redis = await startRedis({ args: ['--maxmemory', '64mb'] });
    const config = await withClient(redis.url, (client) => client.config('GET', 'maxmemory'));
    expect(config).toEqual(['maxmemory', String(64 * 1024 * 1024)]);
  });
});
