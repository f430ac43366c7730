// A workflow whose log has a publisher (over HTTP, say). Temporal decides only its end, in case the publisher dies.
import { delay } from '../../async/delay.ts';
import type { Execution } from '../../execution/store.ts';
import { rowEndOf } from '../row-end.ts';
import { followHistory } from './history-reader.ts';
import { nextRun, openRun } from './run-chain.ts';
import type { WorkflowRef, WorkflowRun } from './temporal-client.ts';
import type { WatchContext, WatchOutcome } from './watch-context.ts';

/** How long a live publisher may take to record the end itself. */
const GRACE_MS = 5_000;

/**
 * Waits for the end of the workflow and ends the row if it is still open; the end reconciler then appends the terminal
 * event to the log.
 * @throws as `watchWorkflow`.
 */
export async function watchExternalPublisher(
  context: WatchContext,
  row: Execution,
  ref: WorkflowRef,
): Promise<WatchOutcome> {
  const { temporal, store, executionId, warnings, times, signal, decodePayload } = context;
  let run: WorkflowRun | undefined = await openRun(temporal, ref, row, undefined);
  while (run) {
    const onEvents = () => undefined;
    const close = await followHistory({
      temporal,
      run,
      isCloseOnly: true,
      warnings,
      times,
      signal,
      onEvents,
    });
    if (!close) return 'interrupted';
    const next: WorkflowRun | undefined = await nextRun(temporal, run, close);
    if (!next) {
      await delay(GRACE_MS, signal);
      if (signal.aborted) return 'interrupted';
      const now = await store.get(executionId);
      const end = await rowEndOf(undefined, close, decodePayload);
      if (now && !now.finishedAt) await store.finish(executionId, now.attempt, end);
      return 'ended';
    }
    run = next;
  }
  return 'interrupted';
}
