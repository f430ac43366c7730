// Repeats a call until it has an outcome.
import { type BackoffPolicy, backoff } from './backoff.ts';
import { delay } from './delay.ts';

export interface RetryOptions {
  readonly policy: BackoffPolicy;
  /** Ends the retries: the promise rejects with what the last try threw. */
  readonly signal: AbortSignal;
  /** Whether trying again cannot change this error. */
  readonly isPermanent: (error: unknown) => boolean;
  /** Called after each failure that will be retried. */
  readonly onFailure?: ((error: unknown, failures: number) => void) | undefined;
}

/**
 * Calls until the call resolves or fails permanently, with backoff between tries. The call must be idempotent.
 * @throws the permanent error, or what the last try threw once the signal has aborted.
 */
export async function retryUntilSettled<T>(call: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { policy, signal, isPermanent, onFailure } = options;
  for (let failures = 1; ; failures += 1) {
    try {
      return await call();
    } catch (error) {
      if (isPermanent(error) || signal.aborted) throw error;
      onFailure?.(error, failures);
      await delay(backoff(policy, failures), signal);
    }
  }
}
