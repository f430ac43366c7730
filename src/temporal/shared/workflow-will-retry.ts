// Whether Temporal will run a failed workflow once more: then its failure is not the end of the stream.
import {
  ApplicationFailure,
  CancelledFailure,
  TerminatedFailure,
  type WorkflowInfo,
} from '@temporalio/workflow';

/** What of Temporal's WorkflowInfo tells. */
export type RetryInfo = Pick<WorkflowInfo, 'retryPolicy' | 'attempt' | 'executionExpirationTime'>;

/**
 * Foretells the server's decision, by its own rules. Where that turns out otherwise (a clock that differs), the
 * relay tells the end from Temporal's close event.
 */
export function workflowWillRetry(error: unknown, info: RetryInfo, now: number): boolean {
  const { retryPolicy, attempt, executionExpirationTime } = info;
  if (!retryPolicy) return false;
  const { maximumAttempts = 0, nonRetryableErrorTypes = [] } = retryPolicy;
  if (maximumAttempts > 0 && attempt >= maximumAttempts) return false;
  if (error instanceof CancelledFailure || error instanceof TerminatedFailure) return false;
  if (error instanceof ApplicationFailure) {
    if (error.nonRetryable || nonRetryableErrorTypes.includes(error.type ?? '')) return false;
  }
  return executionExpirationTime === undefined || now < executionExpirationTime.getTime();
}
