// Keeps the status of a workflow's row up to date while the workflow is open.
import { type ExecutionStatus, isFinal, type OpenStatus } from '../../event/events.ts';
import type { HistoryEvent } from '../shared/history-event.ts';
import type { WatchContext } from './watch-context.ts';

export interface RowStatus {
  /**
   * Sets the status that the events of the workflow report. The end of a workflow sets the final ones.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE`
   */
  set(status: ExecutionStatus): Promise<void>;
  /**
   * Takes in events of the history of a workflow that streams itself, which does not notice a pause. While Temporal has
   * paused it, the row is `PAUSED`.
   * @throws as `set`
   */
  observe(events: readonly HistoryEvent[]): Promise<void>;
}

export function createRowStatus({
  store,
  executionId,
}: Pick<WatchContext, 'store' | 'executionId'>): RowStatus {
  let reported: OpenStatus | undefined;
  let isPaused = false;
  let written: OpenStatus | undefined;

  async function write(): Promise<void> {
    const status = isPaused ? 'PAUSED' : reported;
    if (status === undefined || status === written) return;
    const before = written;
    written = status;
    try {
      const row = await store.get(executionId);
      if (row && row.status !== status) await store.setStatus(executionId, row.attempt, status);
    } catch (error) {
      written = before;
      throw error;
    }
  }

  return {
    async set(status) {
      if (isFinal(status)) return;
      reported = status;
      await write();
    },
    async observe(events) {
      const last = events.findLast(
        (event) =>
          event.workflowExecutionPausedEventAttributes ?? event.workflowExecutionUnpausedEventAttributes,
      );
      if (!last) return;
      isPaused = Boolean(last.workflowExecutionPausedEventAttributes);
      // A request for the state may have written it as well.
      written = undefined;
      await write();
    },
  };
}
