// Retries of Temporal's client that end with the connection. The client retries in a timer, which throws an uncaught
// exception if the connection was closed in the meantime.
import type { GrpcRetryOptions } from '@temporalio/client';
import { delay } from '../../async/delay.ts';

export interface ClosableRetries {
  /** For the interceptor that retries. */
  readonly options: GrpcRetryOptions;
  /** Rejects further retries, and resolves when none is scheduled: the connection may then be closed. */
  close(): Promise<void>;
}

/** Adds to the client's own options that they end. */
export function createClosableRetries({
  retryableDecider,
  delayFunction,
}: GrpcRetryOptions): ClosableRetries {
  let isClosing = false;
  /** When the last scheduled retry starts, in ms since 1970. */
  let lastRetryAt = 0;
  return {
    options: {
      retryableDecider: (attempt, status) => !isClosing && retryableDecider(attempt, status),
      delayFunction(attempt, status) {
        const ms = delayFunction(attempt, status);
        lastRetryAt = Math.max(lastRetryAt, Date.now() + ms);
        return ms;
      },
    },
    async close() {
      isClosing = true;
      // Timers may fire a millisecond late.
      const waitMs = lastRetryAt - Date.now() + 10;
      if (waitMs > 0) await delay(waitMs, undefined, true);
    },
  };
}
