// Terminal events that wait for Temporal's close event.
//
// A workflow task that returns may be rejected: a signal arrived in the meantime, and the workflow continues. So an end
// is recorded only once the run has closed the same way. If that is not possible from here, the server records the end.
import type { ExecutionStore } from '../../execution/store.ts';
import { endExecution } from '../../lifecycle/end-execution.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { rowEndOf, type WorkflowEnd } from '../row-end.ts';
import { confirmsEnd } from '../shared/close-event.ts';
import { decodePlainJson } from '../shared/payloads.ts';
import { beginRow, type RunSinkEvent } from './sink-target.ts';
import { type HistoryService, waitForClose } from './wait-for-close.ts';

/** How long to wait for the close event: it comes within ms, or the task was rejected. */
const CONFIRM_TIMEOUT_MS = 60_000;

/** A sink's event that is a terminal event. */
export type SinkEnd = RunSinkEvent & { readonly event: WorkflowEnd };

export interface PendingEndsOptions {
  readonly store: Pick<ExecutionStore, 'begin' | 'finish' | 'markEnd'>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  service(): HistoryService | undefined;
  /** Appends the terminal event. Resolves to the log's epoch, or undefined if the log does not have the event. */
  send(end: SinkEnd): Promise<string | undefined>;
}

export interface PendingEnds {
  /** Records this end once Temporal confirms it. */
  add(end: SinkEnd): void;
  /** The workflow emits again: its task was retried, so the end that waits is void. */
  cancel(executionId: string): void;
  /** Resolves when no end waits. */
  idle(): Promise<unknown>;
}

export function createPendingEnds({ store, logger, signal, service, send }: PendingEndsOptions): PendingEnds {
  const pending = new Map<string, { readonly canceling: AbortController; readonly done: Promise<void> }>();

  async function confirm(end: SinkEnd, canceled: AbortSignal): Promise<void> {
    const { executionId, run, event } = end;
    const history = service();
    if (!history) return;
    try {
      const close = await waitForClose(history, run, CONFIRM_TIMEOUT_MS, canceled);
      if (!close || canceled.aborted || !confirmsEnd(close, event)) return;
      const rowEnd = await rowEndOf(event, close, decodePlainJson);
      const { attempt } = run;
      await endExecution({
        end: rowEnd,
        attempt,
        async finish() {
          const row = await store.finish(executionId, attempt, rowEnd);
          if (row) return row;
          // The worker that should have created the row was killed before this worker received its first event, the end.
          await beginRow(store, end);
          return store.finish(executionId, attempt, rowEnd);
        },
        async append(_, row) {
          // The first end of a row wins; the process that recorded another one also appends it.
          const epoch = row.status === rowEnd.status ? await send(end) : undefined;
          return epoch === undefined ? undefined : { seq: event.seq, epoch };
        },
        markEnd: (position) => store.markEnd(executionId, position),
      });
    } catch (err) {
      logger.info({ executionId, err }, 'could not record the end of a workflow; the server will record it');
    }
  }

  return {
    add(end) {
      const canceling = new AbortController();
      const done = confirm(end, AbortSignal.any([canceling.signal, signal])).finally(() => {
        if (pending.get(end.executionId)?.canceling === canceling) pending.delete(end.executionId);
      });
      pending.set(end.executionId, { canceling, done });
    },
    cancel(executionId) {
      pending.get(executionId)?.canceling.abort();
      pending.delete(executionId);
    },
    idle: () => Promise.all([...pending.values()].map(({ done }) => done)),
  };
}
