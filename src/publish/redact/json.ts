// Replaces secrets in every string of a value, keys included, and copies only what it changes.
import type { JsonValue } from '../../event/types.ts';

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
    for (const [i, inner] of value.entries()) {
      const made = mapStrings(inner, string, name);
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
  for (const [key, inner] of members) copy.set(free(key, copy), inner);
  // fromEntries defines own properties, a key `__proto__` included.
  return Object.fromEntries(copy);
}

/** A key that is not taken: two secrets must not become one member. */
function free(key: string, taken: ReadonlyMap<string, unknown>): string {
  for (let n = 2, free = key; ; n++) {
    if (!taken.has(free)) return free;
    free = `${key} ${n}`;
  }
}
