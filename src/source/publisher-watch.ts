// Waits while executions are published. Executions with a recent heartbeat are known to be published, and one query
// covers all of them; the others are checked individually by their followers.
import type { LivenessReader } from '../coordination/liveness.ts';
import { createBatchPoller } from './batch-poller.ts';

/** Publishers send a heartbeat about every 10 s. */
const MAX_SILENCE_MS = 20_000;

interface Waiter {
  readonly executionId: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface PublisherWatch {
  /**
   * Resolves when it is uncertain whether an execution is still published, or when the signal is aborted.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` if the log is unavailable
   */
  untilUncertain(executionId: string, signal: AbortSignal): Promise<void>;
}

/** @param intervalMs how often heartbeats are checked; an execution without a recent one is uncertain each time */
export function createPublisherWatch(
  log: Pick<LivenessReader, 'silencesMs'>,
  intervalMs: number,
): PublisherWatch {
  const poller = createBatchPoller<Waiter>(intervalMs, async (waiters) => {
    const ids = waiters.map(({ executionId }) => executionId);
    try {
      const silences = await log.silencesMs(ids);
      waiters.forEach(({ resolve }, i) => {
        if ((silences[i] ?? Number.POSITIVE_INFINITY) > MAX_SILENCE_MS) resolve();
      });
    } catch (error) {
      for (const { reject } of waiters) reject(error);
    }
  });

  return {
    untilUncertain(executionId, signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return resolve();
        const settle = (how: () => void) => {
          remove();
          signal.removeEventListener('abort', onAbort);
          how();
        };
        const onAbort = () => settle(resolve);
        const remove = poller.add({
          executionId,
          resolve: () => settle(resolve),
          reject: (error) => settle(() => reject(error)),
        });
        signal.addEventListener('abort', onAbort);
      });
    },
  };
}
