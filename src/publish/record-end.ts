// Records the end of a run: the queued events, the row, the terminal event, its position on the row.
//
// The row always precedes the terminal event (lifecycle/end-execution.ts). While the database is unavailable, appending
// the event anyway would leave a row that reads RUNNING forever next to a stream that has ended, and a result too large
// for the event would exist nowhere. The end is therefore retried for as long as the publisher lives, and viewers
// receive it once the database is back.
//
// While the log is unavailable, half of `endMs` goes to the queued events, then the row is finished although events
// still wait. The row's result contains all of them: if this process dies, a server appends what the log lacks and the
// terminal event from the row (source/end-reconciler.ts).
import { MAX_TIMER_MS } from '../async/timeout.ts';
import { timestamp } from '../event/events.ts';
import type { SizeLimits } from '../event/size-limits.ts';
import type { Execution, ExecutionEnd } from '../execution/store.ts';
import {
  type EndedRow,
  type EndOutcome,
  type EndRecorder,
  endExecution,
  type Position,
  recordEnd,
} from '../lifecycle/end-execution.ts';
import type { Outbox } from './outbox.ts';
import type { RowWriter } from './row-writer.ts';

export interface RecordEndOptions {
  readonly outbox: Pick<Outbox, 'flush' | 'push' | 'position'>;
  readonly row: Pick<RowWriter, 'finish' | 'markEnd'>;
  /** Resolves with the row once this attempt has begun. */
  readonly rowBegin: Promise<Pick<Execution, 'attempt' | 'startedAt'>>;
  /** Time for the queued events to reach the log before the row is finished. */
  readonly flushMs: number;
  /** Limits of the terminal event. */
  readonly sizes: SizeLimits;
  /** The row has ended: from now on any process may append the terminal event. */
  onRowEnded(): void;
  /** The position of a terminal event that another process has appended, if the log reported one. */
  endedAt(): Position | undefined;
}

/**
 * Ends the row and the log. A row that has been deleted gets a terminal event made from `end`.
 * @throws what aborts the calls of `row`.
 */
export async function recordRunEnd(
  end: ExecutionEnd,
  { outbox, row, rowBegin, flushMs, sizes, onRowEnded, endedAt }: RecordEndOptions,
): Promise<Exclude<EndOutcome, { outcome: 'missing' }>> {
  await outbox.flush(flushMs);
  const { attempt, startedAt } = await rowBegin;
  const recorder: EndRecorder<EndedRow> = {
    sizes,
    async append(terminal) {
      onRowEnded();
      outbox.push({ ...terminal, ts: timestamp() });
      const isFlushed = await outbox.flush(MAX_TIMER_MS);
      return endedAt() ?? (isFlushed ? outbox.position : undefined);
    },
    markEnd: (position) => row.markEnd(position),
  };
  const outcome = await endExecution({
    ...recorder,
    end,
    attempt,
    finish: () => row.finish(end),
  });
  if (outcome.outcome !== 'missing') return outcome;
  return recordEnd({ ...end, attempt, startedAt, finishedAt: new Date() }, recorder);
}
