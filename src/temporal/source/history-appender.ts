// Appends the events of a history to the log, in turns with the tasks in flight, whose changes are inserted between them.
import { Semaphore } from '../../async/semaphore.ts';
import type { HistoryEvent } from '../shared/history-event.ts';
import type { WorkflowEvent } from '../shared/stream-query.ts';
import type { FixedCopyOutcome } from './fixed-copy.ts';
import { watchInFlight } from './in-flight-watch.ts';
import type { WorkflowRun } from './temporal-client.ts';
import type { WatchContext } from './watch-context.ts';

/** An event of the stream, and the event of the history that it shows. */
export interface MappedEvent {
  readonly source: HistoryEvent;
  readonly event: WorkflowEvent;
}

export interface HistoryAppender {
  /** Whether events may be appended; otherwise the outcome of the append or the insert that stopped it. */
  readonly outcome: FixedCopyOutcome;
  /** Appends events, unless the outcome is another one than `done`, or an insert has failed. */
  append(events: readonly MappedEvent[]): Promise<void>;
  /**
   * Resolves when nothing more will be inserted.
   * @throws the error of an insert that failed
   */
  stop(): Promise<void>;
}

/**
 * @param base the position before the first event of the run
 * @param onHalt is called when the tasks in flight have stopped the copy
 */
export function createHistoryAppender(
  context: WatchContext,
  { run, base, onHalt }: { readonly run: WorkflowRun; readonly base: number; readonly onHalt: () => void },
): HistoryAppender {
  const turn = new Semaphore(1);
  let outcome: FixedCopyOutcome = 'done';
  let failure: { readonly error: unknown } | undefined;

  async function exclusively<T>(work: () => Promise<T>): Promise<T> {
    await turn.acquire();
    try {
      return await work();
    } finally {
      turn.release();
    }
  }

  const inFlight = watchInFlight(context, {
    ...{ run, base, exclusively },
    onStop(stopped) {
      outcome = stopped;
      onHalt();
    },
    onError(error) {
      failure = { error };
      onHalt();
    },
  });

  return {
    get outcome() {
      return outcome;
    },
    async append(events) {
      if (events.length === 0) return;
      await exclusively(async () => {
        // The tasks in flight may have stopped the copy in the meantime.
        if (outcome !== 'done' || failure) return;
        outcome = await context.copy.append(events.map(({ event }) => event));
        if (outcome === 'done') for (const { source, event } of events) inFlight.observe(source, event);
      });
    },
    async stop() {
      await inFlight.stop();
      if (failure) throw failure.error;
    },
  };
}
