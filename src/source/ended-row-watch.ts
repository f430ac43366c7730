// Watches the rows of executions that have viewers for an end that their log lacks, with one query for all of them.
import { isFinal } from '../event/events.ts';
import type { Execution, ExecutionStore } from '../execution/store.ts';
import { createBatchPoller } from './batch-poller.ts';

/** How often the rows of watched executions are checked. */
const CHECK_MS = 10_000;

export interface EndedRowWatchOptions {
  readonly store: ExecutionStore;
  readonly reconcileEnd: (row: Execution) => Promise<void>;
  /** @default 10 s */
  readonly checkMs?: number;
}

/** @returns a function that adds an execution and returns how to remove it again */
export function createEndedRowWatch({ store, reconcileEnd, checkMs = CHECK_MS }: EndedRowWatchOptions) {
  const poller = createBatchPoller<{ readonly executionId: string }>(checkMs, async (watched) => {
    for (const id of await store.ended(watched.map(({ executionId }) => executionId))) {
      const row = await store.get(id);
      // An end that cannot be reconciled yet must not block the others; the next check repeats it.
      if (row && isFinal(row.status)) await reconcileEnd(row).catch(() => {});
    }
  });
  return (executionId: string): (() => void) => poller.add({ executionId });
}
