// Waiting while executions are published: whoever gives signs of life still publishes, and all are asked about by one
// question. Only those that it leaves in doubt are looked at one by one.
import type { LivenessReader } from '../coordination/liveness.ts';
import { createBatchPoller } from './batch-poller.ts';

/** A sign of life is given every 10 s or so. */
const ALIVE_MS = 20_000;

interface Waiting {
  readonly executionId: string;
  readonly wake: () => void;
  readonly fail: (error: unknown) => void;
}

/** @param everyMs how often it is asked; an execution without signs of life is in doubt each time. */
export function createPublisherWatch(log: Pick<LivenessReader, 'silencesMs'>, everyMs: number) {
  const rounds = createBatchPoller<Waiting>(everyMs, async (waiting) => {
    const ids = waiting.map(({ executionId }) => executionId);
    try {
      const silences = await log.silencesMs(ids);
      waiting.forEach(({ wake }, i) => {
        if ((silences[i] ?? Number.POSITIVE_INFINITY) > ALIVE_MS) wake();
      });
    } catch (error) {
      for (const { fail } of waiting) fail(error);
    }
  });

  return {
    /**
     * Resolves when it is to be looked whether an execution is still published, or where that is aborted.
     * @throws ExecstreamError `SOURCE_UNAVAILABLE` where the log does not answer.
     */
    inDoubt(executionId: string, signal: AbortSignal): Promise<void> {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return resolve();
        const wake = () => {
          stop();
          resolve();
        };
        const fail = (error: unknown) => {
          stop();
          reject(error);
        };
        const leave = rounds.add({ executionId, wake, fail });
        const stop = () => {
          leave();
          signal.removeEventListener('abort', wake);
        };
        signal.addEventListener('abort', wake);
      });
    },
  };
}
