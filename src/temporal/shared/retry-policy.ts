// Whether Temporal will run a failed activity once more: then its failure does not end the execution that it publishes.
import type { Info } from '@temporalio/activity';

/** What of Temporal's activity info tells. */
export type RetryInfo = Pick<
  Info,
  'attempt' | 'retryPolicy' | 'scheduledTimestampMs' | 'scheduleToCloseTimeoutMs'
>;

/**
 * Foretells the server's decision, by its own rules. A server that sends no policy has one all the same, and its
 * default retries without end.
 */
export function activityWillRetry(error: unknown, info: RetryInfo, now: number): boolean {
  const { maximumAttempts = 0, nonRetryableErrorTypes = [], ...pace } = info.retryPolicy ?? {};
  if (maximumAttempts > 0 && info.attempt >= maximumAttempts) return false;
  if (isFinalError(error, nonRetryableErrorTypes)) return false;
  if (info.scheduleToCloseTimeoutMs > 0) {
    const { initialInterval, backoffCoefficient = 2, maximumInterval } = pace;
    const first = toMs(initialInterval) ?? 1_000;
    const pause = Math.min(
      first * backoffCoefficient ** (info.attempt - 1),
      toMs(maximumInterval) ?? 100 * first,
    );
    return now + pause < info.scheduledTimestampMs + info.scheduleToCloseTimeoutMs;
  }
  return true;
}

/** Read by its fields: a worker may have another copy of Temporal's classes. */
function isFinalError(error: unknown, nonRetryableErrorTypes: readonly string[]): boolean {
  if (!(error instanceof Error)) return false;
  if (Reflect.get(error, 'nonRetryable') === true) return true;
  // A plain error becomes a failure of the type that its name says.
  const type = Reflect.get(error, 'type') ?? error.name;
  return typeof type === 'string' && nonRetryableErrorTypes.includes(type);
}

/** What the SDK decodes of a policy is in ms. */
function toMs(duration: unknown): number | undefined {
  return typeof duration === 'number' && duration > 0 ? duration : undefined;
}
