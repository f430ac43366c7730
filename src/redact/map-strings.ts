// Replaces secrets in every string of a value, keys included, and copies only what it changes.
import type { JsonValue } from '../event/events.ts';

/** @param string maps a string; `name` is the key of the member that contains it */
export function mapStrings(
  value: JsonValue,
  string: (text: string, name: string | undefined, isKey: boolean) => string,
  name?: string,
): JsonValue {
  if (typeof value === 'string') return string(value, name, false);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    let copy: JsonValue[] | undefined;
    for (let i = 0; i < value.length; i += 1) {
      const inner = value[i]!;
      const mapped = typeof inner === 'number' ? inner : mapStrings(inner, string, name);
      if (mapped !== inner) {
        copy ??= value.slice();
        copy[i] = mapped;
      }
    }
    return copy ?? value;
  }
  let isChanged = false;
  const members = Object.entries(value).map(([key, inner]): [string, JsonValue] => {
    const newKey = string(key, undefined, true);
    const mapped = mapStrings(inner, string, key);
    isChanged ||= newKey !== key || mapped !== inner;
    return [newKey, mapped];
  });
  if (!isChanged) return value;
  const copy = new Map<string, JsonValue>();
  const counts = new Map<string, number>();
  for (const [key, inner] of members) copy.set(freeKey(key, copy, counts), inner);
  // fromEntries defines own properties, including for a key `__proto__`.
  return Object.fromEntries(copy);
}

/**
 * A key that is not used yet, so that two members whose keys are secrets do not become one.
 * @param counts how often each key was requested; without it, thousands of secrets would need quadratic time
 */
function freeKey(key: string, used: ReadonlyMap<string, unknown>, counts: Map<string, number>): string {
  for (;;) {
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    const candidate = count === 1 ? key : `${key} ${count}`;
    if (!used.has(candidate)) return candidate;
  }
}
