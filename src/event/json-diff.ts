// Computes the RFC 6902 operations between two successive values, and splits operations into events that fit.
//
// fast-json-patch's `compare` is not used: it accepts neither null nor a scalar as the root, and produces `/__proto__`
// paths that its own `applyPatch` rejects.
import { ExecstreamError } from './errors.ts';
import type { JsonValue, PatchOperation } from './events.ts';
import { jsonBytes } from './json.ts';
import { jsonEquals } from './json-equals.ts';
import { DEFAULT_SIZE_LIMITS, eventTooLarge, type SizeLimits } from './size-limits.ts';

/** Bytes of `{"patch":[]}`. */
const FRAME_BYTES = 12;

/** Keys that JSON Patch libraries reject in a path, to protect prototypes: the object around them is sent instead. */
const UNSAFE_KEYS = ['__proto__', 'prototype'];

/** Whether a string is left as it is for now. */
export type KeepsString = (before: string, after: string, path: string) => boolean;

/**
 * The operations that turn `before` into `after`; none if they are equal.
 * @param keeps strings that it selects are not replaced; by default none
 */
export function diffJson(
  before: JsonValue,
  after: JsonValue,
  keeps: KeepsString = () => false,
): PatchOperation[] {
  const patch: PatchOperation[] = [];
  walk(before, after, '', patch, keeps);
  return patch;
}

/**
 * Checks that a string can be replaced by an event.
 * @throws ExecstreamError `EVENT_TOO_LARGE`
 */
export function checkStringFits(value: string, path: string, { part }: Pick<SizeLimits, 'part'>): void {
  const bytes = jsonBytes({ op: 'replace', path, value });
  if (bytes > maxOperationBytes(part)) throw eventTooLarge(shown(path), bytes, part);
}

/** Bytes of one operation that is alone in its event. */
function maxOperationBytes(part: number): number {
  return part - FRAME_BYTES - 1;
}

/** The patch that sets a whole value. */
export function wholeValue(value: JsonValue): PatchOperation[] {
  return [{ op: 'replace', path: '', value }];
}

function walk(
  before: JsonValue,
  after: JsonValue,
  path: string,
  patch: PatchOperation[],
  keeps: KeepsString,
): void {
  if (before === after) return;
  if (Array.isArray(before) && Array.isArray(after)) {
    const common = Math.min(before.length, after.length);
    for (let i = 0; i < common; i++) walk(before[i]!, after[i]!, `${path}/${i}`, patch, keeps);
    for (let i = before.length - 1; i >= common; i--) patch.push({ op: 'remove', path: `${path}/${i}` });
    for (let i = common; i < after.length; i++)
      patch.push({ op: 'add', path: `${path}/${i}`, value: after[i]! });
  } else if (isObject(before) && isObject(after)) {
    const unsafe = UNSAFE_KEYS.some((key) => Object.hasOwn(before, key) || Object.hasOwn(after, key));
    if (unsafe) {
      if (!jsonEquals(before, after)) patch.push({ op: 'replace', path, value: after });
      return;
    }
    for (const key of Object.keys(before)) {
      if (!Object.hasOwn(after, key)) patch.push({ op: 'remove', path: member(path, key) });
    }
    for (const [key, value] of Object.entries(after)) {
      if (Object.hasOwn(before, key)) walk(before[key]!, value, member(path, key), patch, keeps);
      else patch.push({ op: 'add', path: member(path, key), value });
    }
  } else if (typeof before !== 'string' || typeof after !== 'string' || !keeps(before, after, path)) {
    patch.push({ op: 'replace', path, value: after });
  }
}

export interface SplitPatchOptions {
  /** @default DEFAULT_SIZE_LIMITS */
  readonly sizes?: Pick<SizeLimits, 'part'>;
  /**
   * Limit for all patches together: elements of an array that does not fit into one event take an operation each, which
   * is many times their own size.
   * @default no limit
   */
  readonly totalBytes?: number;
}

/**
 * Groups operations into patches that fit into one event each. A value that is too large for one event is built up by
 * several.
 * @throws ExecstreamError `EVENT_TOO_LARGE` for a string or key that is too large for one event, because RFC 6902 cannot
 *   append to it; or above `totalBytes`
 */
export function splitPatch(
  patch: readonly PatchOperation[],
  { sizes: { part } = DEFAULT_SIZE_LIMITS, totalBytes = Number.POSITIVE_INFINITY }: SplitPatchOptions = {},
): PatchOperation[][] {
  const patches: PatchOperation[][] = [];
  let bytes = part + 1;
  let total = 0;
  for (const unsplit of patch) {
    for (const operation of splitOperation(unsplit, part)) {
      const more = jsonBytes(operation) + 1;
      total += more;
      if (total > totalBytes) throw tooManyBytes(operation, totalBytes, part);
      if (bytes + more > part) {
        patches.push([]);
        bytes = FRAME_BYTES;
      }
      patches.at(-1)!.push(operation);
      bytes += more;
    }
  }
  return patches;
}

function* splitOperation(operation: PatchOperation, part: number): Generator<PatchOperation> {
  const max = maxOperationBytes(part);
  const bytes = jsonBytes(operation);
  if (bytes <= max) {
    yield operation;
    return;
  }
  const { op, path, value } = operation;
  const isArray = Array.isArray(value);
  if (!isArray && !isObject(value)) throw eventTooLarge(shown(path), bytes, part);
  // The first operation has as many members as fit; each other member takes one operation, in order, so that an array
  // grows at its end.
  const members = Object.entries(value);
  // Members whose key is not allowed in a path go into the first operation.
  if (!isArray && UNSAFE_KEYS.some((key) => Object.hasOwn(value, key))) {
    members.sort(([a], [b]) => Number(isUnsafe(b)) - Number(isUnsafe(a)));
  }
  const first: [string, JsonValue][] = [];
  let room = max - jsonBytes({ op, path, value: isArray ? [] : {} });
  if (room < 0) throw eventTooLarge(shown(path), bytes, part);
  let next = 0;
  for (; next < members.length; next++) {
    const [key, inner] = members[next]!;
    room -= jsonBytes(inner) + 1 + (isArray ? 0 : jsonBytes(key) + 1);
    if (room < 0) break;
    first.push([key, inner]);
  }
  // fromEntries defines own properties, a key `__proto__` included.
  yield { op, path, value: isArray ? first.map(([, inner]) => inner) : Object.fromEntries(first) };
  for (const [key, inner] of members.slice(next)) {
    if (!isArray && isUnsafe(key)) throw eventTooLarge(shown(path), bytes, part);
    yield* splitOperation({ op: 'add', path: member(path, key), value: inner }, part);
  }
}

const isUnsafe = (key: string): boolean => UNSAFE_KEYS.includes(key);

function member(path: string, key: string): string {
  return `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function tooManyBytes({ path }: PatchOperation, totalBytes: number, part: number): ExecstreamError {
  return new ExecstreamError(
    'EVENT_TOO_LARGE',
    `${shown(path)}: split into events of ${part} bytes, the patch has more than ${totalBytes} bytes; build the value in several batches`,
  );
}

function shown(path: string): string {
  return `structured_delta at "${path.length > 80 ? `${path.slice(0, 80)}…` : path}"`;
}

function isObject(value: unknown): value is { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
