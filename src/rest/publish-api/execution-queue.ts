// Serialises the batches of each execution, with limits on waiting ones: backpressure for publishers.
import { problem } from '../problem.ts';
import { RejectedRequest } from '../request-body.ts';

/** Batches of one execution that may be queued. A publisher that waits for each response has one. */
const MAX_WAITING = 16;
/** Batches of all executions that may be queued or in progress. */
const MAX_PENDING = 512;

/**
 * Creates a function that runs work of the same execution one after the other. It throws a RejectedRequest (429) above
 * the limits.
 */
export function createExecutionQueue() {
  const queues = new Map<string, { tail: Promise<unknown>; waiting: number }>();
  let pending = 0;

  return async function runExclusive<T>(executionId: string, work: () => Promise<T>): Promise<T> {
    const queue = queues.get(executionId) ?? { tail: Promise.resolve(), waiting: 0 };
    if (queue.waiting >= MAX_WAITING || pending >= MAX_PENDING) {
      const detail =
        'too many batches queued for this execution; wait for a response before sending the next';
      throw new RejectedRequest(problem(429, 'TOO_MANY_REQUESTS', detail, { 'Retry-After': '1' }));
    }
    queues.set(executionId, queue);
    queue.waiting += 1;
    pending += 1;
    const result = queue.tail.then(work, work);
    queue.tail = result;
    try {
      return await result;
    } finally {
      queue.waiting -= 1;
      pending -= 1;
      if (queue.waiting === 0) queues.delete(executionId);
    }
  };
}
