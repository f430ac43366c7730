// The events of one append: the checks that every log makes before it reads its state, and how many events fit.
import { ExecstreamError } from '../event/errors.ts';
import { isTerminal } from '../event/events.ts';
import { type AppendRequest, MAX_BATCH_BYTES } from './log.ts';

/** The most that an envelope adds to its data. */
const MAX_ENVELOPE_BYTES = 256;

/**
 * Splits items into appends of up to 256 KiB and `maxEvents` events, in order.
 * @param dataOf the data of the event that an item becomes
 */
export function splitIntoBatches<T>(
  items: readonly T[],
  dataOf: (item: T) => unknown,
  maxEvents = Number.POSITIVE_INFINITY,
): T[][] {
  const batches: T[][] = [];
  let bytes = 0;
  for (const item of items) {
    const added = Buffer.byteLength(JSON.stringify(dataOf(item))) + MAX_ENVELOPE_BYTES;
    const last = batches.at(-1);
    if (last && bytes + added <= MAX_BATCH_BYTES && last.length < maxEvents) {
      last.push(item);
      bytes += added;
    } else {
      batches.push([item]);
      bytes = added;
    }
  }
  return batches;
}

/**
 * Checks an append's events: one or more; each with data; a terminal one only at the end; either all numbered
 * consecutively, or none.
 * @returns the seq of the first event where the source numbers them, undefined if the log does
 * @throws ExecstreamError `BAD_USER_INPUT`, naming the event
 */
export function checkBatch(events: AppendRequest['events']): number | undefined {
  if (events.length === 0) throw invalidBatch('expected one or more events, got none');
  const first = events[0]!.seq;
  if (first !== undefined && !(Number.isSafeInteger(first) && first > 0)) {
    throw invalidBatch(`event 1 of ${events.length}: expected seq to be an integer from 1, got ${first}`);
  }
  events.forEach(({ type, seq, data }, i) => {
    // An entry that is not valid JSON would stop every reader of the log forever.
    if (typeof data !== 'object' || data === null) {
      throw invalidBatch(
        `event ${i + 1} of ${events.length}: expected data to be an object, got ${data === null ? 'null' : typeof data}`,
      );
    }
    if (isTerminal(type) && i < events.length - 1) {
      throw invalidBatch(`event ${i + 1} of ${events.length} is ${type}: no event may follow it`);
    }
    const expected = first === undefined ? undefined : first + i;
    if (seq !== expected) {
      throw invalidBatch(`event ${i + 1} of ${events.length}: expected seq ${expected}, got ${seq}`);
    }
  });
  return first;
}

function invalidBatch(message: string): ExecstreamError {
  return new ExecstreamError('BAD_USER_INPUT', message);
}
