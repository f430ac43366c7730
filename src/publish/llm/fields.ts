// Reads the parts of streams, whose shapes differ between the versions of SDKs and between servers.

/** A field of a value; undefined if the value is not an object. */
export function field(of: unknown, name: string): unknown {
  const isObject = (typeof of === 'object' && of !== null) || typeof of === 'function';
  return isObject ? (of as Record<string, unknown>)[name] : undefined;
}

/** A name or an id, which some servers give as a number; empty if there is none. */
export function nameIn(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** A number of tokens; 0 if the value is not a count. */
export function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
