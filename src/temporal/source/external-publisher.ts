// A workflow whose log a publisher writes (over HTTP, say): Temporal tells its end alone, should the publisher die.

import { delay } from '../../async/delay.ts';
import type { Execution } from '../../execution/store.ts';
import { decodeFirst } from '../shared/payloads.ts';
import { endOf } from './close-event.ts';
import { followHistory } from './history-reader.ts';
import { nextRun, openRun } from './run-chain.ts';
import type { WorkflowRef, WorkflowRun } from './temporal-client.ts';
import type { WatchContext, WatchOutcome } from './watch-context.ts';

/** A publisher that lives tells the end by itself; so long it is left to. */
const GRACE_MS = 5_000;

/**
 * Waits for the workflow's end and ends the row, if it is still open; who watches rows brings that to the log.
 * @throws as `watch`.
 */
export async function watchExternalPublisher(
  watched: WatchContext,
  row: Execution,
  ref: WorkflowRef,
): Promise<WatchOutcome> {
  const { temporal, store, executionId, warnings: troubles, times, signal, decodePayload } = watched;
  let run: WorkflowRun | undefined = await openRun(temporal, ref, row, undefined);
  while (run) {
    const close = await followHistory({
      ...{ temporal, run, isCloseOnly: true, troubles, times, signal },
      onEvents: () => {},
    });
    if (!close) return 'left';
    const next: WorkflowRun | undefined = await nextRun(temporal, run, close);
    if (!next) {
      await delay(GRACE_MS, signal);
      if (signal.aborted) return 'left';
      const now = await store.get(executionId);
      const end = endOf(close, await decodeFirst(close.result, decodePayload));
      if (now && !now.finishedAt) await store.finish(executionId, now.attempt, end);
      return 'ended';
    }
    run = next;
  }
  return 'left';
}
