// Checks whether a Redis accepts writes: a read-only replica, or one that is out of memory or cannot save, still
// responds to PING.
import type { Redis } from 'ioredis';
import { unavailable } from './redis-errors.ts';
import { CHECK_WRITE } from './scripts.gen.ts';

/** The reason as an operator reads it, by the code of Redis' error. */
const REASONS: { readonly [code: string]: string } = {
  READONLY: 'it is a read-only replica',
  OOM: 'it is out of memory (maxmemory)',
  MISCONF: 'it cannot save its data to disk (MISCONF)',
  NOREPLICAS: 'too few replicas are connected (min-replicas-to-write)',
  NOPERM: 'its user has no permission to write (ACL)',
};

/**
 * Writes a key that expires after a minute.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` with the reason why the write was rejected
 */
export async function checkWrite(redis: Redis, key: string): Promise<void> {
  const reply = (await redis.eval(CHECK_WRITE, 1, key)) as string;
  if (reply === 'OK') return;
  const code = /^-?([A-Z]+)/.exec(reply)?.[1] ?? 'ERR';
  throw unavailable(`Redis refuses writes: ${REASONS[code] ?? `error ${code}`}`, new Error(reply));
}
