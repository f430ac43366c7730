// The end of an execution, in the one order that every end keeps: the row, the terminal event, the event's position on
// the row.
//
// 1. The first end wins. The row decides: the terminal event is created from the row as `finish` left it, also if
//    another process ended it.
// 2. A viewer that has received the terminal event can read the result: the row ends before the event is appended.
// 3. The position comes last, so that a row with a position has its terminal event in the log. A crash in between leaves
//    an ended row without a position, which any server completes with `recordEnd` (the log accepts one end only).
import { isFinal, type NewEvent, type TerminalType } from '../event/events.ts';
import type { SizeLimits } from '../event/size-limits.ts';
import { type Ended, terminalEventOf } from '../event/terminal-event.ts';
import type { ExecutionEnd } from '../execution/store.ts';

/** Where a terminal event is stored. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** The fields of a row that an end needs; an `Execution` has them. */
export type EndedRow = Ended & { readonly attempt: number };

/** How an end reaches the log and the row; every process that ends executions has its own implementation. */
export interface EndRecorder<Row extends EndedRow> {
  /**
   * Limits of a terminal event that is created from the row.
   * @default DEFAULT_SIZE_LIMITS
   */
  readonly sizes?: SizeLimits;
  /**
   * Appends the terminal event, after everything that precedes it.
   * @returns its position, or that of the terminal event that the log already has; undefined if the event is not in
   *   the log and another process will append it
   */
  append(terminal: NewEvent<TerminalType>, row: Row): Promise<Position | undefined>;
  /** Stores the position on the row. */
  markEnd(position: Position): Promise<void>;
}

export type RecordOutcome =
  /** The row has ended, the log has the terminal event, and the row has its position. */
  | { readonly outcome: 'ended'; readonly position: Position }
  /** The row has ended; the terminal event is not in the log yet. */
  | { readonly outcome: 'not-appended' };

export type EndOutcome =
  | RecordOutcome
  /** The row belongs to another attempt, or is still open. */
  | { readonly outcome: 'superseded'; readonly attempt: number }
  /** There is no row. */
  | { readonly outcome: 'missing' };

export interface EndRequest<Row extends EndedRow> extends EndRecorder<Row> {
  readonly end: ExecutionEnd;
  /** The attempt that ends. */
  readonly attempt: number;
  /** Ends the row as `ExecutionStore.finish` does, and returns the row as it is afterwards. */
  finish(end: ExecutionEnd): Promise<Row | undefined>;
  /** The terminal event to append if this end wins; by default the one that the row yields. */
  readonly terminal?: NewEvent<TerminalType> | undefined;
}

/**
 * Ends an execution: row, terminal event, position.
 * @throws what `finish`, `append` and `markEnd` throw; calling it again completes the missing steps.
 */
export async function endExecution<Row extends EndedRow>(request: EndRequest<Row>): Promise<EndOutcome> {
  const { end, attempt, terminal } = request;
  const row = await request.finish(end);
  if (!row) return { outcome: 'missing' };
  if (row.attempt !== attempt || !isFinal(row.status)) {
    return { outcome: 'superseded', attempt: row.attempt };
  }
  return recordEnd(row, request, row.status === end.status ? terminal : undefined);
}

/**
 * Records the end of a row that has ended: terminal event, position.
 * @param terminal the event to append; by default the one that the row yields.
 */
export async function recordEnd<Row extends EndedRow>(
  row: Row,
  { append, markEnd, sizes }: EndRecorder<Row>,
  terminal: NewEvent<TerminalType> | undefined = terminalEventOf(row, sizes),
): Promise<RecordOutcome> {
  const position = terminal && (await append(terminal, row));
  if (!position) return { outcome: 'not-appended' };
  await markEnd(position);
  return { outcome: 'ended', position };
}
