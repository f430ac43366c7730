// Equality of JSON values (RFC 6902, section 4.6).
import type { JsonValue } from './events.ts';

/**
 * Whether two JSON values are equal: the same members in any order, the same elements in the same order, numbers by
 * their numeric value.
 * @param spend is called with the number of values and keys that are about to be compared, and may throw to stop
 */
export function jsonEquals(
  a: JsonValue | undefined,
  b: JsonValue | undefined,
  spend: (visits: number) => void = () => {},
): boolean {
  spend(1);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((element, i) => jsonEquals(element, b[i], spend));
  }
  const keys = Object.keys(a);
  const otherKeys = Object.keys(b);
  spend(keys.length + otherKeys.length);
  if (keys.length !== otherKeys.length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && jsonEquals(a[key], b[key], spend));
}
