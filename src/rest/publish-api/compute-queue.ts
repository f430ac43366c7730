// Checking a batch blocks the event loop, for up to some tens of milliseconds. Callers take turns at it, and everything
// else on this server gets a turn of the event loop after each long one.
import { setImmediate } from 'node:timers/promises';
import { FairQueue } from '../../async/fair-queue.ts';
import { type Caller, callerKey } from '../../execution/permission.ts';

const LONG_MS = 2;

/** Creates a function that runs synchronous work once it is the caller's turn. */
export function createComputeQueue() {
  const queue = new FairQueue({ concurrency: 1, perKey: 1 });

  return function compute<T>(caller: Caller, work: () => T): Promise<T> {
    return queue.run(callerKey(caller), async () => {
      const startedAt = performance.now();
      try {
        return work();
      } finally {
        if (performance.now() - startedAt > LONG_MS) await setImmediate();
      }
    });
  };
}
