// How a publisher calls the log and the store: a timeout for each call, and retries until there is an outcome.
import { type BackoffPolicy, backoff } from '../async/backoff.ts';
import { retryUntilSettled } from '../async/retry.ts';
import { withTimeout } from '../async/timeout.ts';
import { ExecstreamError, isExecstreamError } from '../event/errors.ts';

const RETRY_MS: BackoffPolicy = { firstMs: 50, maxMs: 2_000 };

/** The log and the store have timeouts too, by default the same. They reject first: their error names the cause. */
const GRACE_MS = 100;

/** How often a publisher logs an outage that lasts, in ms. */
export const REMIND_MS = 60_000;

/** How long a publisher waits after a number of consecutive failures (from 1), in ms. */
export function backoffMs(failures: number): number {
  return backoff(RETRY_MS, failures);
}

/** Whether an error is final: trying again cannot change it. */
export function isRejection(error: unknown): error is ExecstreamError {
  return isExecstreamError(error) && !error.retryable && error.code !== 'INTERNAL';
}

/**
 * One call with a timeout.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` after `ms`, with an unknown outcome; the signal's reason when it aborts.
 */
export function callOnce<T>(call: () => Promise<T>, ms: number, signal: AbortSignal): Promise<T> {
  const error = () => new ExecstreamError('SOURCE_UNAVAILABLE', `no response within ${ms} ms`);
  return withTimeout(call, { ms: ms + GRACE_MS, error, signal, keepsAlive: false });
}

/**
 * Repeats an idempotent call, each try with a timeout of `callMs`, until it has an outcome.
 * @throws the rejection if the outcome is one (see `isRejection`); the signal's reason when it aborts.
 */
export function callUntilSettled<T>(
  call: () => Promise<T>,
  options: { callMs: number; signal: AbortSignal; onFailure?: (error: unknown, failures: number) => void },
): Promise<T> {
  const { callMs, signal, onFailure } = options;
  return retryUntilSettled(() => callOnce(call, callMs, signal), {
    policy: RETRY_MS,
    signal,
    isPermanent: isRejection,
    onFailure,
  });
}
