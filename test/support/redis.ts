// Redis for suites: the server that all suites share, and separate servers to kill.
//
//   describeRedis('the Redis log', () => { new Redis(sharedRedisUrl()) … });
//
//   describeOwnRedis('a crash', () => {
//     test('…', async () => {
//       await using redis = await startRedis({ appendonly: true });
//       … redis.url … await redis.kill(); await redis.restart(); …
//
// The shared server is never flushed: use a key prefix or execution ids that no other suite uses.
import { describe } from 'vitest';
import { type RedisOptions, RedisServer } from '../../scripts/redis.ts';
import { findPart, REDIS } from '../../scripts/test-services.ts';

const binary = findPart(REDIS);

/** `describe` for suites on the shared server; skipped without one (a run without `npm test`). */
export const describeRedis = describe.skipIf(!process.env.TEST_REDIS_URL);

/** `describe` for suites that start their own Redis; skipped where no redis-server is found. */
export const describeOwnRedis = describe.skipIf(binary === undefined);

/**
 * The URL of the server that all suites share. To be called in tests and hooks of `describeRedis`.
 * @throws Error without one
 */
export function sharedRedisUrl(): string {
  const url = process.env.TEST_REDIS_URL;
  if (!url) throw new Error('TEST_REDIS_URL is not set: this belongs inside describeRedis');
  return url;
}

/**
 * Starts a separate Redis, which the test must stop: `await using`, or `stop()` in a hook.
 * @param options `appendonly` and further arguments of redis-server; see RedisOptions
 */
export function startRedis(options: Omit<RedisOptions, 'binary'> = {}): Promise<RedisServer> {
  if (binary === undefined) throw new Error('no redis-server: this belongs inside describeOwnRedis');
  return RedisServer.start({ binary, ...options });
}

export type { RedisServer };
