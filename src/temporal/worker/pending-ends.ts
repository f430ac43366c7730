// Ends that a sink has heard of and that Temporal has not confirmed yet.
//
// A workflow task that returns may be refused: a signal came in meanwhile, and the workflow goes on. So an end is
// told only once the run has closed the same way; and then in the order of every end: the row, the terminal event,
// its cursor on the row. Where that cannot be found out from here, the relay does it.
import type { JsonValue } from '../../event/events.ts';
import type { ExecutionEnd, ExecutionStore } from '../../execution/store.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { beginRow, type RunSinkEvent } from './sink-target.ts';
import { type Close, type HistoryService, waitForClose } from './wait-for-close.ts';

/** How long a close is waited for: it comes within ms, or the task was refused. */
const CONFIRM_MS = 60_000;

export interface PendingEndsOptions {
  readonly store: Pick<ExecutionStore, 'begin' | 'finish' | 'markEnd'>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  service(): HistoryService | undefined;
  /** Appends the terminal event. Answers the log's epoch, undefined where the event is not there. */
  send(sunk: RunSinkEvent): Promise<string | undefined>;
}

export interface PendingEnds {
  /** Tells this end once Temporal has it. */
  add(sunk: RunSinkEvent): void;
  /** The workflow speaks again: its task was run once more, so what was its end is none any more. */
  cancel(sunk: RunSinkEvent): void;
  idle(): Promise<unknown>;
}

export function createPendingEnds({ store, logger, signal, service, send }: PendingEndsOptions): PendingEnds {
  const pending = new Map<string, { readonly given: AbortController; readonly done: Promise<void> }>();

  async function confirm(sunk: RunSinkEvent, given: AbortSignal): Promise<void> {
    const { executionId, run } = sunk;
    const asked = service();
    if (!asked) return;
    try {
      const close = await waitForClose(asked, run, CONFIRM_MS, given);
      if (!close || given.aborted || !agrees(sunk, close)) return;
      const end = endOf(sunk, close);
      const finish = () => store.finish(executionId, run.attempt, end);
      let row = await finish();
      if (!row) {
        // The worker that was to make it has been killed, and the end is the first that this one says.
        await beginRow(store, sunk);
        row = await finish();
      }
      // Another end stands on the row, and the first one wins: who knows it tells it.
      if (row?.status !== end.status) return;
      const epoch = await send(sunk);
      if (epoch !== undefined) await store.markEnd(executionId, { seq: sunk.event.seq, epoch });
    } catch (err) {
      logger.info({ executionId, err }, 'left to the relay: the end could not be told from here');
    }
  }

  return {
    add(sunk) {
      const given = new AbortController();
      const done = confirm(sunk, AbortSignal.any([given.signal, signal])).finally(() => {
        if (pending.get(sunk.executionId)?.given === given) pending.delete(sunk.executionId);
      });
      pending.set(sunk.executionId, { given, done });
    },
    cancel: ({ executionId }) => {
      pending.get(executionId)?.given.abort();
      pending.delete(executionId);
    },
    idle: () => Promise.all([...pending.values()].map(({ done }) => done)),
  };
}

function agrees({ event }: RunSinkEvent, { how, goesOn }: Close): boolean {
  if (goesOn) return false;
  if (event.type === 'complete') return how === 'completed';
  return event.type === 'error' && how === (event.data.status === 'CANCELED' ? 'canceled' : 'failed');
}

function endOf({ event }: RunSinkEvent, close: Close): ExecutionEnd {
  if (event.type === 'error') {
    const { status, message, code, usage } = event.data;
    return { status, error: { message, ...(code !== undefined && { code }) }, ...(usage && { usage }) };
  }
  if (event.type !== 'complete') throw new TypeError(`${event.type} is no end`);
  const { usage, resultOmitted } = event.data;
  // What is too large for the event, the row has all the same.
  const result: JsonValue | undefined = resultOmitted ? close.result : event.data.result;
  const isOmitted = resultOmitted && result === undefined;
  return {
    status: 'SUCCESS',
    ...(result !== undefined && { result }),
    ...(isOmitted && { resultOmitted: true }),
    ...(usage && { usage }),
  };
}
