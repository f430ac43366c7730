// The size of events, and copies of JSON values.
import { messageOf } from './error-message.ts';
import { ExecstreamError } from './errors.ts';
import type { NewEvent } from './events.ts';
import { exceedsDepth, MAX_JSON_DEPTH } from './json-depth.ts';

/** Upper bound of what an envelope adds to its data in a log: id, seq, type, ts, attempt and their punctuation. */
const ENVELOPE_BYTES = 256;

/** UTF-8 bytes of a value's JSON. */
export function jsonBytes(value: unknown): number {
  // A fast path: large arrays are measured element by element, and most elements are numbers.
  if (Number.isFinite(value)) return String(value).length;
  return Buffer.byteLength(JSON.stringify(value));
}

/** An upper bound for the bytes of an event in a batch. */
export function eventBytes(event: NewEvent): number {
  return jsonBytes(event.data) + ENVELOPE_BYTES;
}

/**
 * A copy of a value as JSON represents it, independent of later changes by the caller; undefined for a value that JSON
 * cannot represent, such as a function.
 * @param subject names the value in error messages
 * @throws ExecstreamError `BAD_USER_INPUT` for a value that is not JSON (a cycle, a BigInt) or is nested too deep
 */
export function copyJson<T>(value: T, subject: string): T | undefined {
  let copy: T;
  try {
    const json = JSON.stringify(value);
    if (json === undefined) return undefined;
    copy = JSON.parse(json);
  } catch (error) {
    throw new ExecstreamError('BAD_USER_INPUT', `${subject} is not JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (!exceedsDepth(copy, MAX_JSON_DEPTH)) return copy;
  throw new ExecstreamError('BAD_USER_INPUT', `${subject} is nested deeper than ${MAX_JSON_DEPTH} levels`);
}
