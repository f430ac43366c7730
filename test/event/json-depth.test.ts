// The depth of JSON, for values nested far deeper than the stack allows.
import { describe, expect, it } from 'vitest';
import { exceedsDepth } from '../../src/event/json-depth.ts';

function nestedArrays(depth: number): unknown {
  return JSON.parse('['.repeat(depth) + ']'.repeat(depth));
}

function nestedObjects(depth: number): unknown {
  return JSON.parse(`${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`);
}

describe('exceedsDepth', () => {
  it('counts a scalar as depth 0 and an empty array or object as depth 1', () => {
    for (const scalar of [null, true, 1, 'text', undefined]) expect(exceedsDepth(scalar, 0)).toBe(false);
    for (const container of [[], {}]) {
      expect(exceedsDepth(container, 0)).toBe(true);
      expect(exceedsDepth(container, 1)).toBe(false);
    }
  });

  it('accepts values at the limit and reports values one level beyond it', () => {
    for (const nested of [nestedArrays, nestedObjects]) {
      expect(exceedsDepth(nested(128), 128)).toBe(false);
      expect(exceedsDepth(nested(129), 128)).toBe(true);
    }
  });

  it('measures the deepest branch, wherever it is', () => {
    expect(exceedsDepth([1, { a: 'x', b: [{}, []] }, 2], 4)).toBe(false);
    expect(exceedsDepth([1, { a: 'x', b: [{}, [[]]] }, 2], 4)).toBe(true);
    expect(exceedsDepth(JSON.parse('{"__proto__":[[[]]]}'), 3)).toBe(true);
  });

  it('does not overflow the stack on values a million levels deep', () => {
    let deep: unknown = [];
    for (let i = 0; i < 1_000_000; i += 1) deep = i % 2 === 0 ? [deep] : { deep };
    expect(exceedsDepth(deep, 128)).toBe(true);
    expect(exceedsDepth(deep, 2_000_000)).toBe(false);
  });

  it('stops at the first level beyond the limit', () => {
    const unreachable = new Proxy({}, { ownKeys: () => expect.unreachable() });
    expect(exceedsDepth([[unreachable]], 2)).toBe(true);
  });
});
