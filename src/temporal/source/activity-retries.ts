// Retries of activities: `describe` reports them while they last, the history only afterwards. So they are warnings for
// the viewers of this process, and are not stored in the log.
import type { PendingRetry, WorkflowRun } from './temporal-client.ts';
import type { WatchContext } from './watch-context.ts';

/**
 * Polls the retries of a run's activities while some are open.
 * @param openTasks the activities that are open according to the history; the caller keeps it up to date.
 * @returns a function that stops polling.
 */
export function watchRetries(
  { temporal, audience, times }: WatchContext,
  run: WorkflowRun,
  openTasks: ReadonlySet<string>,
): () => void {
  const reportedAttempts = new Map<string, number>();
  let isStopped = false;

  function report({ taskId, attempt, message }: PendingRetry): void {
    if (isStopped || (reportedAttempts.get(taskId) ?? 1) >= attempt) return;
    reportedAttempts.set(taskId, attempt);
    audience.warn('ATTEMPT_FAILED', `${taskId}, attempt ${attempt - 1}: ${message}; retrying`);
  }

  async function poll(): Promise<void> {
    if (openTasks.size === 0) return;
    for (const retry of await temporal.retries(run)) report(retry);
  }

  // A poll that fails is ignored: the history reader warns when Temporal is unavailable.
  const timer = setInterval(() => void poll().catch(() => {}), times.retriesMs);
  timer.unref();
  return () => {
    isStopped = true;
    clearInterval(timer);
  };
}
