// How large an event is, and how large it may be (PROTOCOL.md, "Events").
import { ExecstreamError, messageOf } from './errors.ts';
import { MAX_DATA_BYTES, type NewEvent } from './events.ts';
import { exceedsDepth, MAX_JSON_DEPTH } from './json-depth.ts';

/** At most what an envelope adds to its data in a log: id, seq, type, ts, attempt and their punctuation. */
const ENVELOPE_BYTES = 256;

/** UTF-8 bytes of a value's JSON. */
export function jsonBytes(value: unknown): number {
  // Large arrays are measured element by element, and most elements are numbers.
  if (typeof value === 'number' && Number.isFinite(value)) return String(value).length;
  return Buffer.byteLength(JSON.stringify(value));
}

/** An upper bound for the bytes of an event in a batch. */
export function eventBytes(event: NewEvent): number {
  return jsonBytes(event.data) + ENVELOPE_BYTES;
}

/** The refusal of an event whose data is above the limit. */
export function tooLarge(what: string, bytes: number): ExecstreamError {
  return new ExecstreamError(
    'EVENT_TOO_LARGE',
    `${what} has ${bytes} bytes of data; an event may have ${MAX_DATA_BYTES}`,
  );
}

/**
 * A copy as JSON carries it: what the caller changes later cannot reach it; undefined where JSON has no word for it.
 * @throws ExecstreamError `BAD_USER_INPUT` for what is not JSON (a cycle, a BigInt), or is nested too deep.
 */
export function copyJson<T>(value: T, what: string): T | undefined {
  let copy: T;
  try {
    const json = JSON.stringify(value);
    if (json === undefined) return undefined;
    copy = JSON.parse(json);
  } catch (error) {
    throw new ExecstreamError('BAD_USER_INPUT', `${what} is not JSON: ${messageOf(error)}`, { cause: error });
  }
  if (!exceedsDepth(copy, MAX_JSON_DEPTH)) return copy;
  throw new ExecstreamError('BAD_USER_INPUT', `${what} is nested deeper than ${MAX_JSON_DEPTH} levels`);
}
