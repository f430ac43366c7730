// Keeps the status of a workflow's row up to date while the workflow is open.
import { type ExecutionStatus, isFinal, type OpenStatus } from '../../event/events.ts';
import type { WatchContext } from './watch-context.ts';

export interface RowStatus {
  /**
   * Sets the status if it has changed since the last call. The end of a workflow sets the final ones.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE`
   */
  set(status: ExecutionStatus): Promise<void>;
}

export function createRowStatus({
  store,
  executionId,
}: Pick<WatchContext, 'store' | 'executionId'>): RowStatus {
  let last: ExecutionStatus | undefined;
  return {
    async set(status) {
      if (status === last || isFinal(status)) return;
      const before = last;
      last = status;
      try {
        const row = await store.get(executionId);
        if (row && row.status !== status) {
          await store.setStatus(executionId, row.attempt, status as OpenStatus);
        }
      } catch (error) {
        last = before;
        throw error;
      }
    },
  };
}
