// The terminal event of a run, as its row has it: the first end wins.
import { type NewEvent, type TerminalType, timestamp } from '../event/events.ts';
import { terminalEventOf } from '../event/terminal-event.ts';
import type { Execution, ExecutionEnd } from '../execution/store.ts';

/** @param row as it is after `finish`; undefined where it is gone. */
export function terminalEvent(
  end: ExecutionEnd,
  row: Execution | undefined,
  startedAt: Date,
): NewEvent<TerminalType> {
  const event = terminalEventOf(row ?? { ...end, startedAt, finishedAt: new Date() })!;
  return { ...event, ts: timestamp() };
}
