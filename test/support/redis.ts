// Redis for suites: the shared server, and separate servers that can be killed.
//
//   describeRedis('the Redis log', () => { new Redis(sharedRedisUrl()) … });
//
//   describeOwnRedis('a crash', () => {
//     test('…', async () => {
//       await using redis = await startRedis({ appendonly: true });
//       … redis.url … await redis.kill(); await redis.restart(); …
//
// The shared server is never flushed: use a unique key prefix or unique execution ids.
import { describe } from 'vitest';
import { type RedisOptions, RedisServer } from '../../scripts/redis.ts';
import { findPart, REDIS } from '../../scripts/test-services.ts';

const binary = findPart(REDIS);

/** `describe` for suites on the shared server; skipped if there is none (a run without `npm test`). */
export const describeRedis = describe.skipIf(!process.env.TEST_REDIS_URL);

/** `describe` for suites that start their own Redis; skipped if redis-server is not installed. */
export const describeOwnRedis = describe.skipIf(binary === undefined);

/**
 * The URL of the shared server. Call it in tests and hooks of `describeRedis`.
 * @throws Error if there is none.
 */
export function sharedRedisUrl(): string {
  const url = process.env.TEST_REDIS_URL;
  if (!url) throw new Error('TEST_REDIS_URL is not set; call this inside describeRedis');
  return url;
}

/**
 * Starts a Redis for one test, which the test must stop with `await using` or with `stop()` in a hook.
 * @param options `appendonly` and additional arguments of redis-server; see RedisOptions.
 */
export function startRedis(options: Omit<RedisOptions, 'binary'> = {}): Promise<RedisServer> {
  if (binary === undefined) throw new Error('redis-server not found; call this inside describeOwnRedis');
  return RedisServer.start({ binary, ...options });
}

export type { RedisServer };
