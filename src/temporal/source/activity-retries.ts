// Activities that fail and are tried again: the history has it once they are over, `describe` while it lasts. So it
// is told to the viewers of this process as a warning, and takes no place in the log.
import type { PendingRetry, WorkflowRun } from './temporal-client.ts';
import type { WatchContext } from './watch-context.ts';

/**
 * Looks at the retries of a run's activities, for as long as some are open.
 * @param openTasks what the history says of them, kept up to date by the caller.
 * @returns how to stop.
 */
export function watchRetries(
  watched: WatchContext,
  run: WorkflowRun,
  openTasks: ReadonlySet<string>,
): () => void {
  const { temporal, audience, times } = watched;
  const told = new Map<string, number>();
  let isStopped = false;

  function tell({ taskId, attempt, message }: PendingRetry): void {
    if (isStopped || (told.get(taskId) ?? 1) >= attempt) return;
    told.set(taskId, attempt);
    audience.warn('ATTEMPT_FAILED', `${taskId}, attempt ${attempt - 1}: ${message}; it is tried again`);
  }

  async function look(): Promise<void> {
    if (openTasks.size === 0) return;
    for (const retry of await temporal.retries(run)) tell(retry);
  }

  // A look that fails is followed by the next one; that Temporal is away is the reader's to tell.
  const timer = setInterval(() => void look().catch(() => {}), times.retriesMs);
  timer.unref();
  return () => {
    isStopped = true;
    clearInterval(timer);
  };
}
