// Waiting until replicas have what was written. WAIT counts the replicas that have all that its own connection has
// written so far, so one serves all the writes before it.
//
// Invariants
// 1. The WAIT for a write is sent on the connection that wrote, after it: another one has written nothing, and may be
//    to a new master, which does not have the write. One `Redis` has one connection after the other; but what waits
//    for the round in flight fails with it when the connection ends, and nothing comes between an answer and the
//    command that is sent upon it.
// 2. While one WAIT is in flight, all others are gathered into the next.
import type { Redis } from 'ioredis';
import { unavailable } from '../../redis/redis-errors.ts';

/** The longest that an append waits for its replicas. They take about a round trip. */
const WAIT_MS = 1_000;

interface Round {
  readonly done: Promise<void>;
  /** For what was written since this one was sent. */
  next: Promise<void> | undefined;
}

/**
 * Makes the function that resolves when `replicas` replicas have all that was written on a client before the call.
 * It must be called as soon as the write is answered. It rejects with `SOURCE_UNAVAILABLE` where fewer have it in time.
 * @param boundMs the bound of the whole call; a WAIT takes a third of it at most, as two may follow each other.
 */
export function createReplication(replicas: number, boundMs: number): (redis: Redis) => Promise<void> {
  if (replicas === 0) return async () => {};
  const waitMs = Math.ceil(Math.min(WAIT_MS, boundMs / 3));
  const rounds = new WeakMap<Redis, Round>();

  function begin(redis: Redis): Promise<void> {
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
    if (!round) return begin(redis);
    round.next ??= round.done.then(() => begin(redis));
    return round.next;
  };
}
