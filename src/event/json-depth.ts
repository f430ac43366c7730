// The nesting depth of JSON. Recursive code (validation, serialisation) overflows the stack on deeply nested values.

/** Levels of arrays and objects that JSON from outside may have: request bodies, event data and rows. */
export const MAX_JSON_DEPTH = 128;

/**
 * Whether a parsed JSON value nests arrays and objects deeper than a limit. A scalar has depth 0, `[]` and `{}` have
 * depth 1, `[[]]` has depth 2. Iterative, and stops at the first level beyond the limit.
 * @param value the result of JSON.parse; not cyclic
 */
export function exceedsDepth(value: unknown, limit: number): boolean {
  let level = isContainer(value) ? [value] : [];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > limit) return true;
    const next: object[] = [];
    for (const container of level) {
      const children: unknown[] = Array.isArray(container) ? container : Object.values(container);
      for (const child of children) if (isContainer(child)) next.push(child);
    }
    level = next;
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
