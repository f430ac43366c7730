// What every log demands of the events of one append, before it looks at where it stands.
import { ExecstreamError } from '../event/error.ts';
import { isTerminal } from '../event/types.ts';
import type { AppendRequest } from './log.ts';

/**
 * Checks the form of an append's events: at least one; each with data; a terminal one only at the end; all
 * numbered, consecutively, or none.
 * @returns the first event's seq where the source numbers them, undefined where the log is to.
 * @throws ExecstreamError `BAD_USER_INPUT`, naming the event.
 */
export function checkBatch(events: AppendRequest['events']): number | undefined {
  if (events.length === 0) throw bad('an append needs at least one event');
  const first = events[0]!.seq;
  if (first !== undefined && !(Number.isSafeInteger(first) && first > 0)) {
    throw bad(`event 1 of ${events.length} has the seq ${first}; seqs are whole numbers from 1`);
  }
  events.forEach(({ type, seq, data }, i) => {
    // What is not JSON would stand in a log for ever, and no reader could pass it.
    if (typeof data !== 'object' || data === null) {
      throw bad(`event ${i + 1} of ${events.length} has no data; expected an object`);
    }
    if (isTerminal(type) && i < events.length - 1) {
      throw bad(`event ${i + 1} of ${events.length} is ${type}, and nothing may follow it`);
    }
    const due = first === undefined ? undefined : first + i;
    if (seq !== due) throw bad(`event ${i + 1} of ${events.length} has the seq ${seq}; expected ${due}`);
  });
  return first;
}

function bad(message: string): ExecstreamError {
  return new ExecstreamError('BAD_USER_INPUT', message);
}
