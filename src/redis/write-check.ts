// Whether a Redis accepts writes: a read-only replica, or one that is out of memory or cannot save, still answers PING.
import type { Redis } from 'ioredis';
import { unavailable } from './redis-errors.ts';

/**
 * As a script, like the appends, and with the error as a value: the error reply READONLY would have the connection made
 * anew (link.ts), and every read in flight would fail with it.
 */
const WRITE = `
local reply = redis.pcall('SET', KEYS[1], '1', 'PX', 60000)
return reply.err or 'OK'`;

/** What an operator is told, by the first word of Redis' error. */
const REASONS: { readonly [code: string]: string } = {
  READONLY: 'it is a read-only replica',
  OOM: 'it is out of memory (maxmemory)',
  MISCONF: 'it cannot save its data to disk (MISCONF)',
  NOREPLICAS: 'too few replicas are connected (min-replicas-to-write)',
  NOPERM: 'its user may not write (ACL)',
};

/**
 * Writes a key that expires after a minute.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE`, saying why the write was refused
 */
export async function checkWrite(redis: Redis, key: string): Promise<void> {
  const reply = (await redis.eval(WRITE, 1, key)) as string;
  if (reply === 'OK') return;
  const code = /^-?([A-Z]+)/.exec(reply)?.[1] ?? 'ERR';
  throw unavailable(`Redis refuses writes: ${REASONS[code] ?? `it answers ${code}`}`, new Error(reply));
}
