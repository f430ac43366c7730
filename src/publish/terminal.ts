// The terminal event that a run tells: what its row says, for the first end wins.
import { type NewEvent, type TerminalType, timestamp } from '../event/types.ts';
import type { Execution, ExecutionEnd } from '../execution/store.ts';
import { terminalOf } from '../execution/terminal.ts';

/**
 * @param row the row as it stands after `finish`; undefined where it is gone.
 * @param isOmitted the execution has a result that the end does not carry.
 */
export function terminalEvent(
  end: ExecutionEnd,
  row: Execution | undefined,
  startedAt: Date,
  isOmitted: boolean,
): NewEvent<TerminalType> {
  const event = terminalOf(row ?? { ...end, startedAt, finishedAt: new Date() })!;
  const told = { ...event, ts: timestamp() };
  if (told.type !== 'complete' || told.data.result !== undefined || !isOmitted) return told;
  return { ...told, data: { ...told.data, resultOmitted: true } };
}
