// Calls that may not be answered: a bound for one call, and trying again until it goes through.

import { type BackoffPolicy, backoff, delay } from '../async/backoff.ts';
import { ExecstreamError, isExecstreamError } from '../event/errors.ts';

const RETRY_MS: BackoffPolicy = { firstMs: 50, maxMs: 2_000 };

/** How long a publisher waits after so many failures in a row (from 1), in ms. */
export function backoffMs(failures: number): number {
  return backoff(RETRY_MS, failures);
}

/** Whether an error is an answer that trying again will not change. */
export function isRejection(error: unknown): error is ExecstreamError {
  return isExecstreamError(error) && error.code !== 'SOURCE_UNAVAILABLE' && error.code !== 'INTERNAL';
}

/**
 * Waits for an answer for at most `ms`.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` after that time; the signal's reason when it aborts.
 */
export function withTimeout<T>(call: () => Promise<T>, ms: number, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const done = (settle: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const onAbort = (): void => done(() => reject(signal.reason));
    const onTimeout = (): void =>
      done(() => reject(new ExecstreamError('SOURCE_UNAVAILABLE', `no answer within ${ms} ms`)));
    const timer = setTimeout(onTimeout, ms);
    timer.unref();
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort);
    // An answer that comes too late settles nothing any more, and an error that comes too late is not unhandled.
    new Promise<T>((start) => start(call())).then(
      (value) => done(() => resolve(value)),
      (error) => done(() => reject(error)),
    );
  });
}

/**
 * Calls until there is an answer, each try bounded by `callMs`, with backoff in between. The call must be one that
 * may be made twice.
 * @throws the refusal if the answer is one (see `isRefusal`); the signal's reason when it aborts.
 */
export async function retryUntilSettled<T>(
  call: () => Promise<T>,
  options: { callMs: number; signal: AbortSignal; onFailure?: (error: unknown, failures: number) => void },
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await withTimeout(call, options.callMs, options.signal);
    } catch (error) {
      if (isRejection(error) || options.signal.aborted) throw error;
      options.onFailure?.(error, failures);
      await delay(backoffMs(failures), options.signal);
    }
  }
}
