// Replaces secrets in every string of a value, keys included, and copies only what it changes.
import type { JsonValue } from '../event/events.ts';

/** @param string what to make of a string, given the key that it stands under. */
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
      const made = typeof inner === 'number' ? inner : mapStrings(inner, string, name);
      if (made !== inner) {
        copy ??= value.slice();
        copy[i] = made;
      }
    }
    return copy ?? value;
  }
  let isChanged = false;
  const members = Object.entries(value).map(([key, inner]): [string, JsonValue] => {
    const newKey = string(key, undefined, true);
    const made = mapStrings(inner, string, key);
    isChanged ||= newKey !== key || made !== inner;
    return [newKey, made];
  });
  if (!isChanged) return value;
  const copy = new Map<string, JsonValue>();
  const counts = new Map<string, number>();
  for (const [key, inner] of members) copy.set(freeKey(key, copy, counts), inner);
  // fromEntries defines own properties, a key `__proto__` included.
  return Object.fromEntries(copy);
}

/**
 * A key that is not taken, so that two secrets do not become one member.
 * @param counts how often each key was asked for: thousands of secrets in one object must not be compared in pairs
 */
function freeKey(key: string, taken: ReadonlyMap<string, unknown>, counts: Map<string, number>): string {
  for (;;) {
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    const candidate = count === 1 ? key : `${key} ${count}`;
    if (!taken.has(candidate)) return candidate;
  }
}
