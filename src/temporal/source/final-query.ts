// The last events of a run that has closed, and its own terminal event.
import { backoff } from '../../async/backoff.ts';
import { delay } from '../../async/delay.ts';
import type { WorkflowEnd } from '../row-end.ts';
import { type CloseEvent, confirmsEnd } from '../shared/close-event.ts';
import { isTemporalError } from './errors.ts';
import type { CopyResult, QueryCopier } from './query-copier.ts';
import type { QueryProgress } from './query-progress.ts';
import type { WorkflowRun } from './temporal-client.ts';
import type { WatchContext, WatchOutcome } from './watch-context.ts';

/** How the watch of a run that has closed ended. */
export type ClosedByQuery = {
  readonly close: CloseEvent;
  /** The workflow's own terminal event, if it could be queried. */
  readonly ownEnd: WorkflowEnd | undefined;
  /** Whether the run has responded to the query, now or before. */
  readonly hasResponded: boolean;
};

/** Why the watch of a run stopped. `no-query`: it has no handler for our query, and its history is to be used. */
export type Stop = { readonly stop: WatchOutcome | 'no-query' };

/** A worker that responded within this time is known to be there. */
const KNOWN_WORKER_MS = 10_000;

/**
 * Queries a closed run until it responds, if the log may lack events of it.
 * @param signal aborts when the watch stops.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` if log or store are unavailable
 */
export async function queryLast(
  { temporal, times }: Pick<WatchContext, 'temporal' | 'times'>,
  run: WorkflowRun,
  close: CloseEvent,
  copyAll: QueryCopier['copyAll'],
  progress: QueryProgress,
  signal: AbortSignal,
): Promise<Stop | ClosedByQuery> {
  // The query that was in flight when the run closed.
  const { end } = progress;
  if (end && confirmsEnd(close, end)) return { close, ownEnd: end, hasResponded: true };
  // A run that had closed before the watch may not have had a worker for a long time.
  const timeout = AbortSignal.timeout(times.finalQueryTimeoutMs / (run.isOpen ? 1 : 3));
  const querySignal = AbortSignal.any([signal, timeout]);
  const hasWorker = async () =>
    progress.hasRespondedWithin(KNOWN_WORKER_MS) || (await temporal.hasWorker(run, 'end').catch(() => true));
  while (progress.isBehind && (await hasWorker())) {
    try {
      const copied: CopyResult = await copyAll(querySignal, { priority: 'end' });
      return 'stop' in copied ? copied : { close, ownEnd: copied.end, hasResponded: true };
    } catch (error) {
      if (!isTemporalError(error)) throw error;
      const action = progress.recordFailure(error.condition);
      if (action === 'use-history') return { stop: 'no-query' };
      if (action === 'give-up') break;
    }
    await delay(backoff(times.retryMs, progress.failures), querySignal);
    if (querySignal.aborted) break;
  }
  // Another watcher continues, with the last events before the end.
  if (signal.aborted) return { stop: 'interrupted' };
  return { close, ownEnd: undefined, hasResponded: progress.hasResponded };
}
