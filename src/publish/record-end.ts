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
import { type NewEvent, type TerminalType, timestamp } from '../event/events.ts';
import { type SizeLimits, sizeLimitsOf } from '../event/size-limits.ts';
import { terminalEventOf } from '../event/terminal-event.ts';
import type { ExecutionEnd } from '../execution/store.ts';
import {
  type EndedRow,
  type EndOutcome,
  type EndRecorder,
  endExecution,
  type Position,
  type RecordOutcome,
  recordEnd,
} from '../lifecycle/end-execution.ts';
import type { Outbox } from './outbox.ts';
import type { RowWriter } from './row-writer.ts';
import type { BegunRow } from './transport.ts';

/** Limits of a terminal event that is sent to a server, which creates that of the log from the row. */
const SENT_END: SizeLimits = sizeLimitsOf(192 * 1024);

export interface RecordEndOptions {
  readonly outbox: Pick<Outbox, 'flush' | 'push' | 'position'>;
  readonly row: Pick<RowWriter, 'ends'>;
  /** Resolves with the row once this attempt has begun. */
  readonly rowBegin: Promise<Pick<BegunRow, 'attempt' | 'startedAt'>>;
  /** Time for the queued events to reach the log before the row is finished. */
  readonly flushMs: number;
  /** Whether the result is the text or value that was published. */
  readonly resultIsContent: boolean;
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
  options: RecordEndOptions,
): Promise<Exclude<EndOutcome, { outcome: 'missing' }>> {
  const { outbox, rowBegin, flushMs, sizes, onRowEnded, endedAt } = options;
  const { ends } = options.row;
  if (!ends) return sendEnd(end, options);
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
    markEnd: (position) => ends.markEnd(position),
  };
  const outcome = await endExecution({
    ...recorder,
    end,
    attempt,
    finish: () => ends.finish(end),
  });
  if (outcome.outcome !== 'missing') return outcome;
  return recordEnd({ ...end, attempt, startedAt, finishedAt: new Date() }, recorder);
}

/**
 * Ends an execution whose row a server keeps: the terminal event follows the queued events, and the server ends the row
 * with it. Until then another attempt can have the execution.
 */
async function sendEnd(end: ExecutionEnd, options: RecordEndOptions): Promise<RecordOutcome> {
  const { outbox, rowBegin, endedAt } = options;
  const { startedAt } = await rowBegin;
  outbox.push(sentEnd(end, startedAt, options.resultIsContent));
  const isFlushed = await outbox.flush(MAX_TIMER_MS);
  const position = endedAt() ?? (isFlushed ? outbox.position : undefined);
  return position ? { outcome: 'ended', position } : { outcome: 'not-appended' };
}

/** The terminal event with the complete result, if a batch can contain it. */
function sentEnd(end: ExecutionEnd, startedAt: Date, resultIsContent: boolean): NewEvent<TerminalType> {
  const row = { ...end, startedAt, finishedAt: new Date() };
  const event = terminalEventOf(row, SENT_END)!;
  if (event.type === 'error' || !event.data.resultOmitted || !resultIsContent) return event;
  // The server knows the published text or value, which is the default result.
  const { resultOmitted: _, resultBytes: __, ...data } = event.data;
  return { ...event, data };
}
