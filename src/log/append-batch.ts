// The events of one append: what every log demands of them before it looks at where it stands, and how many fit.
import { ExecstreamError } from '../event/errors.ts';
import { isTerminal } from '../event/events.ts';
import { type AppendRequest, MAX_BATCH_BYTES } from './log.ts';

/** What an envelope adds to its data, at most. */
const ENVELOPE_BYTES = 256;

/** Parts what stands for an event each into appends of at most 256 KiB and so many events, in order. */
export function splitIntoBatches<T>(
  items: readonly T[],
  dataOf: (item: T) => unknown,
  maxEvents = Number.POSITIVE_INFINITY,
): T[][] {
  const batches: T[][] = [];
  let bytes = 0;
  for (const item of items) {
    const more = Buffer.byteLength(JSON.stringify(dataOf(item))) + ENVELOPE_BYTES;
    const last = batches.at(-1);
    if (last && bytes + more <= MAX_BATCH_BYTES && last.length < maxEvents) {
      last.push(item);
      bytes += more;
    } else {
      batches.push([item]);
      bytes = more;
    }
  }
  return batches;
}

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
