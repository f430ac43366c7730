// A Redis of a test's own can be killed, frozen and started again, with or without its data.
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
  test('answers', async () => {
    expect(await withClient(sharedRedisUrl(), (client) => client.ping())).toBe('PONG');
  });
});

describeOwnRedis("a Redis of a test's own", () => {
  test('keeps what it acknowledged over a kill when it is append-only, on the same URL', async () => {
    await using redis = await startRedis({ appendonly: true });
    await set(redis.url, 'kept');
    await redis.kill();
    await expect(get(redis.url)).rejects.toThrow();
    await redis.restart();
    expect(await get(redis.url)).toBe('kept');
  });

  test('loses what came after a SAVE when it is not append-only', async () => {
    await using redis = await startRedis();
    await set(redis.url, 'saved');
    await withClient(redis.url, (client) => client.save());
    await set(redis.url, 'lost');
    await redis.restart();
    expect(await get(redis.url)).toBe('saved');
  });

  test('answers nothing while frozen, and everything once thawed', async () => {
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

  test('takes further arguments', async () => {
    await using redis = await startRedis({ args: ['--maxmemory', '64mb'] });
    const answer = await withClient(redis.url, (client) => client.config('GET', 'maxmemory'));
    expect(answer).toEqual(['maxmemory', String(64 * 1024 * 1024)]);
  });
});
