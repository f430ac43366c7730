// The size of values, and the limits of values and of the work of patches, at their exact boundaries.
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/event/events.ts';
import {
  checkValueSize,
  copyWithin,
  PatchWork,
  sizeOf,
  unlimitedWork,
  VALUE_LIMITS,
} from '../../src/event/json-size.ts';

const NONE = { units: 0, nodes: 0, depth: 0 };
const workOf = (limits: Partial<typeof VALUE_LIMITS>) => new PatchWork({ ...VALUE_LIMITS, ...limits });
const tooLarge = (message: string) => expect.objectContaining({ code: 'EVENT_TOO_LARGE', message });

describe('the size of a value', () => {
  test.each<[JsonValue, number, number, number]>([
    [null, 4, 1, 0],
    [true, 4, 1, 0],
    [false, 5, 1, 0],
    [-1.5, 4, 1, 0],
    ['', 2, 1, 0],
    ['ab', 4, 1, 0],
    [[], 2, 1, 1],
    [{}, 2, 1, 1],
    [[1, 2], 2 + 2 + 2, 3, 1],
    [{ ab: 1 }, 2 + 6 + 1, 2, 1],
    [{ a: { b: [] } }, 2 + 5 + 2 + 5 + 2, 3, 3],
    [[[[]], [], null], 2 + 3 + 3 + 2 + 2 + 4, 5, 3],
  ])('%j has %i units, %i values and %i levels, copied or not', (value, units, nodes, depth) => {
    expect(sizeOf(value, unlimitedWork())).toEqual({ units, nodes, depth });
    expect(copyWithin(value, { work: unlimitedWork() })).toEqual({ value, size: { units, nodes, depth } });
    const inside = copyWithin(value, { work: unlimitedWork(), depth: 5, beside: { ...NONE, units: 9 } });
    expect(inside.size).toEqual({ units, nodes, depth });
  });

  test('is at least the length of its JSON without escapes', () => {
    for (const value of [[], [1, [2, 'x']], { a: { b: null, c: [true] } }] as JsonValue[]) {
      expect(sizeOf(value, unlimitedWork()).units).toBeGreaterThanOrEqual(JSON.stringify(value).length);
    }
  });

  test('costs one visit for each value and each key', () => {
    const value = { a: [1, 2], b: 'x' };
    for (const measure of [sizeOf, (each: JsonValue, work: PatchWork) => copyWithin(each, { work })]) {
      const work = new PatchWork();
      measure(value, work);
      expect(work.spent).toBe(5 + 2);
    }
  });
});

describe('the work of a batch', () => {
  test('may be spent exactly, and one more visit is rejected', () => {
    const work = workOf({ work: 3 });
    work.spend(1);
    work.spend(2);
    expect(work.spent).toBe(3);
    expect(() => work.spend(1)).toThrow(
      tooLarge('the patches of one batch may visit 3 values; send smaller batches'),
    );
  });

  test('counts one visit for each 64 array elements that are moved', () => {
    const cost = (elements: number) => {
      const work = new PatchWork();
      work.spendMove(elements);
      return work.spent;
    };
    expect([0, 63, 64, 127, 128, 6_400].map(cost)).toEqual([0, 0, 1, 1, 2, 100]);
  });
});

describe('the limits of a value', () => {
  test('may be reached exactly, and are not exceeded', () => {
    const work = workOf({ units: 10, nodes: 4, depth: 2 });
    work.checkSize({ units: 6, nodes: 3, depth: 0 }, 4, 1);
    work.checkDepth(2);
    expect(() => work.checkSize({ units: 6, nodes: 3, depth: 0 }, 5, 1)).toThrow(
      tooLarge('the value would exceed 10 characters of JSON'),
    );
    expect(() => work.checkSize({ units: 6, nodes: 3, depth: 0 }, 4, 2)).toThrow(
      tooLarge('the value would hold more than 4 values'),
    );
    expect(() => work.checkDepth(3)).toThrow(tooLarge('the value would be nested deeper than 2 levels'));
  });

  test('apply to a copy, alone and together with the value that it becomes a part of', () => {
    const work = workOf({ nodes: 3 });
    expect(copyWithin([1, 2], { work }).value).toEqual([1, 2]);
    expect(() => copyWithin([1, 2, 3], { work })).toThrow(/more than 3 values/);
    const beside = { units: 0, nodes: 1, depth: 0 };
    expect(copyWithin([1], { work, beside }).value).toEqual([1]);
    expect(() => copyWithin([1, 2], { work, beside })).toThrow(/more than 3 values/);
  });

  test('apply to the depth of arrays and of objects, from the place of the copy', () => {
    for (const value of [[[]], { a: {} }, [{}], { a: [] }] as JsonValue[]) {
      expect(copyWithin(value, { work: workOf({ depth: 2 }) }).value).toEqual(value);
      expect(() => copyWithin(value, { work: workOf({ depth: 1 }) })).toThrow(/deeper than 1 levels/);
      expect(copyWithin(value, { work: workOf({ depth: 5 }), depth: 3 }).value).toEqual(value);
      expect(() => copyWithin(value, { work: workOf({ depth: 5 }), depth: 4 })).toThrow(/deeper than 5/);
    }
  });

  test('stop a copy before it visits the values beyond them', () => {
    const unreachable: JsonValue = new Proxy({}, { ownKeys: () => expect.unreachable() });
    expect(() => copyWithin([1, 2, unreachable], { work: workOf({ nodes: 2 }) })).toThrow(/more than 2/);
  });

  test('of a complete value are checked in characters, values and depth', () => {
    const { units, nodes, depth } = VALUE_LIMITS;
    const nested = (levels: number): JsonValue => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    const zeros = (count: number): JsonValue => Array.from({ length: count }, () => 0);
    checkValueSize('x'.repeat(units - 2));
    checkValueSize(zeros(nodes - 1));
    checkValueSize(nested(depth));
    expect(() => checkValueSize('x'.repeat(units - 1))).toThrow(
      tooLarge(`the value would exceed ${units} characters of JSON`),
    );
    expect(() => checkValueSize(zeros(nodes))).toThrow(
      tooLarge(`the value would hold more than ${nodes} values`),
    );
    expect(() => checkValueSize(nested(depth + 1))).toThrow(
      tooLarge(`the value would be nested deeper than ${depth} levels`),
    );
  });
});
