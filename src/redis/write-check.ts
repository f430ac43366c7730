// Checks whether a Redis does what the log needs: run scripts, write and announce. A read-only replica, one that is out
// of memory or cannot save, and one whose ACL permits too little still respond to PING.
import type { Redis } from 'ioredis';
import type { HealthKeys } from './keys.ts';
import { unavailable } from './redis-errors.ts';
import { CHECK_WRITE } from './scripts.gen.ts';

/** The reason as an operator reads it, by the code of Redis' error. */
const REASONS: { readonly [code: string]: string } = {
  READONLY: 'it is a read-only replica',
  OOM: 'it is out of memory (maxmemory)',
  MISCONF: 'it cannot save its data to disk (MISCONF)',
  NOREPLICAS: 'too few replicas are connected (min-replicas-to-write)',
};

/** How Redis rejects what the ACL does not permit: outside of a script, and inside of one. */
const NOT_PERMITTED = /NOPERM|The user executing the script can't/;

/**
 * Writes a key that expires after a minute, and announces on a channel without listeners.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` with the reason why Redis rejected it
 */
export async function checkWrite(
  redis: Redis,
  { key, channel }: HealthKeys,
  isSharded: boolean,
): Promise<void> {
  const publish = isSharded ? 'SPUBLISH' : 'PUBLISH';
  let reply: string;
  try {
    reply = (await redis.eval(CHECK_WRITE, 1, key, channel, publish)) as string;
  } catch (error) {
    if (error instanceof Error && NOT_PERMITTED.test(error.message)) throw notPermitted('EVAL', error);
    throw error;
  }
  if (reply === 'OK') return;
  const [, command, text] = /^(\w+) (.*)$/s.exec(reply)!;
  const cause = new Error(text);
  if (NOT_PERMITTED.test(text!)) throw notPermitted(command!, cause);
  const code = /^-?([A-Z]+)/.exec(text!)?.[1] ?? 'ERR';
  throw unavailable(`Redis rejects writes: ${REASONS[code] ?? `error ${code}`}`, cause);
}

/** The error of a command that the ACL does not permit to the user of the connection. */
function notPermitted(command: string, cause: unknown): Error {
  return unavailable(`Redis rejects ${command}: its user has no permission (ACL)`, cause);
}

/** Converts an error of subscribing to the health channel. */
export function toSubscribeError(command: string, error: unknown): unknown {
  const { cause } = error as { cause?: unknown };
  return cause instanceof Error && NOT_PERMITTED.test(cause.message) ? notPermitted(command, cause) : error;
}
