// The size of events, and copies of JSON values.
import { messageOf, propertyOf } from './error-message.ts';
import { ExecstreamError } from './errors.ts';
import type { NewEvent } from './events.ts';
import { exceedsDepth, MAX_JSON_DEPTH } from './json-depth.ts';
import { byteLength } from './text.ts';

/** Upper bound of what an envelope adds to its data in a log: id, seq, type, ts, attempt and their punctuation. */
const ENVELOPE_BYTES = 256;

/** UTF-8 bytes of a value's JSON. */
export function jsonBytes(value: unknown): number {
  // A fast path: large arrays are measured element by element, and most elements are numbers.
  if (Number.isFinite(value)) return String(value).length;
  return byteLength(JSON.stringify(value));
}

/** An upper bound for the bytes of an event in a batch. */
export function eventBytes(event: NewEvent): number {
  return jsonBytes(event.data) + ENVELOPE_BYTES;
}

interface FoundBigInt {
  readonly path: readonly string[];
  readonly value: bigint;
}

/** The first BigInt within a value, which JSON.stringify rejects without naming it. */
function findBigInt(
  value: unknown,
  path: readonly unknown[] = [],
  names: readonly string[] = [],
): FoundBigInt | undefined {
  if (typeof value === 'bigint') return { path: names, value };
  if (typeof value !== 'object' || value === null || path.includes(value)) return undefined;
  if (path.length > MAX_JSON_DEPTH) return undefined;
  for (const name of Object.keys(value)) {
    const found = findBigInt(propertyOf(value, name), [...path, value], [...names, name]);
    if (found) return found;
  }
  return undefined;
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
    const bigint = findBigInt(value);
    const detail = bigint
      ? `${[subject, ...bigint.path].join('.')}: expected JSON, got the BigInt ${bigint.value}; pass it as a string`
      : `${subject} is not JSON: ${messageOf(error)}`;
    throw new ExecstreamError('BAD_USER_INPUT', detail, { cause: error });
  }
  if (!exceedsDepth(copy, MAX_JSON_DEPTH)) return copy;
  throw new ExecstreamError('BAD_USER_INPUT', `${subject} is nested deeper than ${MAX_JSON_DEPTH} levels`);
}
