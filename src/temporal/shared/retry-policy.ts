// Whether Temporal will retry a failed activity or workflow: then the failure does not end its execution.
//
// Both functions predict the server's decision by its own rules. Errors are recognised by their fields, because a
// worker may have another copy of Temporal's classes, and so that nothing of Temporal is loaded here.
import type { Info } from '@temporalio/activity';
import type { WorkflowInfo } from '@temporalio/workflow';

/** The fields of an activity's info that decide. */
export type ActivityRetryInfo = Pick<
  Info,
  'attempt' | 'retryPolicy' | 'scheduledTimestampMs' | 'scheduleToCloseTimeoutMs'
>;

/** The fields of a workflow's info that decide. */
export type WorkflowRetryInfo = Pick<WorkflowInfo, 'retryPolicy' | 'attempt' | 'executionExpirationTime'>;

/** An error with the fields of Temporal's ApplicationFailure. */
type Failure = Error & { readonly type?: string | null; readonly nonRetryable?: boolean };

/**
 * Predicts whether an activity is retried. Without a policy the server's default applies, which retries without limit.
 * @param now in ms since 1970.
 */
export function activityWillRetry(error: unknown, info: ActivityRetryInfo, now: number): boolean {
  const { maximumAttempts = 0, nonRetryableErrorTypes = [], ...intervals } = info.retryPolicy ?? {};
  if (maximumAttempts > 0 && info.attempt >= maximumAttempts) return false;
  if (error instanceof Error) {
    // A plain error becomes a failure whose type is the error's name.
    const { name, type, nonRetryable } = error as Failure;
    if (nonRetryable === true || nonRetryableErrorTypes.includes(type ?? name)) return false;
  }
  if (info.scheduleToCloseTimeoutMs > 0) {
    const { initialInterval, backoffCoefficient = 2, maximumInterval } = intervals;
    const first = positiveMs(initialInterval) ?? 1_000;
    const longest = positiveMs(maximumInterval) ?? 100 * first;
    const interval = Math.min(first * backoffCoefficient ** (info.attempt - 1), longest);
    return now + interval < info.scheduledTimestampMs + info.scheduleToCloseTimeoutMs;
  }
  return true;
}

/**
 * Predicts whether a workflow is retried. If the prediction is wrong (a clock that differs), the server emits the end
 * that Temporal's close event reports.
 * @param now in ms since 1970.
 */
export function workflowWillRetry(error: Error, info: WorkflowRetryInfo, now: number): boolean {
  const { retryPolicy, attempt, executionExpirationTime } = info;
  if (!retryPolicy) return false;
  const { maximumAttempts = 0, nonRetryableErrorTypes = [] } = retryPolicy;
  if (maximumAttempts > 0 && attempt >= maximumAttempts) return false;
  const { name, type, nonRetryable } = error as Failure;
  if (name === 'CancelledFailure' || name === 'TerminatedFailure') return false;
  if (name === 'ApplicationFailure' && (nonRetryable || nonRetryableErrorTypes.includes(type ?? '')))
    return false;
  return executionExpirationTime === undefined || now < executionExpirationTime.getTime();
}

/** The SDK decodes the durations of a policy to ms. */
function positiveMs(duration: unknown): number | undefined {
  return typeof duration === 'number' && duration > 0 ? duration : undefined;
}
