// Waiting until replicas have received writes. WAIT counts the replicas that have everything that its own connection has
// written so far, so one WAIT serves all the writes before it.
//
// Invariants
// 1. The WAIT for a write is sent on the connection that wrote, after the write: another connection has written nothing,
//    and may lead to a new master, which does not have the write. A `Redis` has one connection after another, but
//    calls that wait for the round in flight fail with it when the connection ends, and nothing comes between a reply
//    and the command that is sent upon it.
// 2. Concurrent WAITs are coalesced: at most one is in flight and one is queued per connection.
import type { Redis } from 'ioredis';
import { unavailable } from '../../redis/redis-errors.ts';

/** Replicas take about a round trip. */
const MAX_WAIT_MS = 1_000;

interface Round {
  readonly done: Promise<void>;
  /** For the writes since this round was sent. */
  next: Promise<void> | undefined;
}

/**
 * Creates a function that resolves when `replicas` replicas have everything that was written on a client before the
 * call. It must be called right after the reply to the write. It rejects with `SOURCE_UNAVAILABLE` if fewer replicas
 * have it in time.
 * @param timeoutMs of the whole call; a WAIT takes up to a third of it, as two may follow each other
 */
export function createReplication(replicas: number, timeoutMs: number): (redis: Redis) => Promise<void> {
  if (replicas === 0) return async () => {};
  const waitMs = Math.ceil(Math.min(MAX_WAIT_MS, timeoutMs / 3));
  const rounds = new WeakMap<Redis, Round>();

  function sendWait(redis: Redis): Promise<void> {
    const done = redis.wait(replicas, waitMs).then((count) => {
      if (count < replicas) {
        throw unavailable(`${count} of ${replicas} replicas had an append after ${waitMs} ms`);
      }
    });
    const round: Round = { done, next: undefined };
    rounds.set(redis, round);
    const end = () => {
      if (rounds.get(redis) === round) rounds.delete(redis);
    };
    done.then(end, end);
    return done;
  }

  return (redis) => {
    const round = rounds.get(redis);
    if (!round) return sendWait(redis);
    round.next ??= round.done.then(() => sendWait(redis));
    return round.next;
  };
}
