// Restores the log of a workflow that has ended, if the log has expired and Temporal still has the history: it is copied
// again, into a new epoch. The row stays as it is, except for the position of the end.
import { resultWithin } from '../../async/timeout.ts';
import type { Execution, ExecutionStore } from '../../execution/store.ts';
import type { LogReader } from '../../log/log.ts';
import { isTemporalWorkflow } from './resolve.ts';
import { markEnd } from './workflow-follower.ts';

/** How long a viewer waits for the log. Afterwards it gets what the row has. */
const RESTORE_MS = 5_000;

export interface RestoreLogOptions {
  readonly log: Pick<LogReader, 'head'>;
  readonly store: ExecutionStore;
  /** Copies the workflow into its log. */
  copy(executionId: string): Promise<void>;
}

/** @returns the row afterwards; undefined if there is nothing to restore */
export type RestoreLog = (row: Execution) => Promise<Execution | undefined>;

export function createRestoreLog({ log, store, copy }: RestoreLogOptions): RestoreLog {
  return async (row) => {
    // Temporal does not have what a publisher appended.
    if (!isTemporalWorkflow(row) || row.expectsHeartbeats !== undefined) return undefined;
    const head = await log.head(row.id);
    if (head?.numbering === 'auto' || (head && head.end > 0 && head.epoch === row.end?.epoch))
      return undefined;
    if (!head || head.end === 0) await resultWithin(copy(row.id), RESTORE_MS);
    await markEnd(log, store, row.id);
    return store.get(row.id);
  };
}
