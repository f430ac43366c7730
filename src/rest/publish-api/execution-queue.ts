// One batch of an execution at a time, and a bound for those that wait their turn: back-pressure for publishers.

import { problem } from '../problem.ts';
import { Refusal } from '../request-body.ts';

/** Batches of one execution that may wait; a publisher that waits for its answers has one. */
const MAX_WAITING = 16;
/** Batches of all executions that may be under way. */
const MAX_UNDER_WAY = 512;

/** Makes a function that runs work of one execution after the other; refuses with 429 above the bounds. */
export function createTurns() {
  const last = new Map<string, { tail: Promise<unknown>; waiting: number }>();
  let underWay = 0;

  return async function inTurn<T>(executionId: string, work: () => Promise<T>): Promise<T> {
    const queue = last.get(executionId) ?? { tail: Promise.resolve(), waiting: 0 };
    if (queue.waiting >= MAX_WAITING || underWay >= MAX_UNDER_WAY) {
      const detail = 'more batches wait than are taken; send the next one after the answer to the last';
      throw new Refusal(problem(429, 'TOO_MANY_REQUESTS', detail, { 'Retry-After': '1' }));
    }
    last.set(executionId, queue);
    queue.waiting += 1;
    underWay += 1;
    const mine = queue.tail.then(work, work);
    queue.tail = mine;
    try {
      return await mine;
    } finally {
      queue.waiting -= 1;
      underWay -= 1;
      if (queue.waiting === 0) last.delete(executionId);
    }
  };
}
