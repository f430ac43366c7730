// Patches between values: reducing them from null gives each value (PROTOCOL.md, "Events": structured_delta).
import fc from 'fast-check';
import jsonPatch from 'fast-json-patch';
import { describe, expect, test } from 'vitest';
import type { JsonValue, NewEvent } from '../../src/event/events.ts';
import { jsonBytes } from '../../src/event/json.ts';
import { diffJson, splitPatch } from '../../src/event/json-diff.ts';
import { DEFAULT_SIZE_LIMITS } from '../../src/event/size-limits.ts';
import { DEFAULT_LIMITS } from '../../src/publish/limits.ts';
import { createValueState } from '../../src/publish/resend-state.ts';
import { propertyRuns } from '../support/property-runs.ts';

const key = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'c', '') },
  fc.constantFrom(
    '/',
    '~',
    '~1',
    'a/b',
    '__proto__',
    'constructor',
    'prototype',
    'toJSON',
    'hasOwnProperty',
    '0',
    'é',
  ),
);
const { json } = fc.letrec<{ json: JsonValue }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<JsonValue>(null, true, false, 0, 1, '', 'x', 'y'),
    fc.array(tie('json'), { maxLength: 4 }),
    // fromEntries, so that a key `__proto__` is a key.
    fc.array(fc.tuple(key, tie('json')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
}));

/** Applies patches as other clients do: with fast-json-patch, which rejects paths with `__proto__`. */
function apply(value: JsonValue, events: NewEvent<'structured_delta'>[]): JsonValue {
  let folded = value;
  for (const { data } of structuredClone(events)) {
    folded = jsonPatch.applyPatch(folded, data.patch as never, true).newDocument as JsonValue;
  }
  return folded;
}

test('the patches between any successive values add up to each of them, starting from null', () => {
  fc.assert(
    fc.property(
      fc.array(json, { maxLength: 8 }),
      fc.integer({ min: 2, max: 5 }),
      (values, wholeValueEvery) => {
        const held = createValueState({ ...DEFAULT_LIMITS, wholeValueEvery });
        let folded: JsonValue = null;
        let before: JsonValue = null;
        let since = 0;
        for (const value of values) {
          const events = held.setValue(JSON.parse(JSON.stringify(value)));
          if (diffJson(before, value).length === 0) expect(events).toEqual([]);
          folded = apply(folded, events);
          expect(folded).toEqual(value);
          before = value;
          since = events.length === 0 ? since : events[0]!.data.patch[0]!.path === '' ? 0 : since + 1;
          expect(since).toBeLessThan(wholeValueEvery);
        }
      },
    ),
    { numRuns: propertyRuns(2_000) },
  );
});

describe('diff', () => {
  test.each<[string, JsonValue, JsonValue, unknown]>([
    ['a null start', null, { a: 1 }, [{ op: 'replace', path: '', value: { a: 1 } }]],
    ['a root of another type', [1], { 0: 1 }, [{ op: 'replace', path: '', value: { 0: 1 } }]],
    [
      'keys with / and ~',
      { 'a/b': 1, 'c~d': 1 },
      { 'a/b': 2, 'c~d': 2 },
      [
        { op: 'replace', path: '/a~1b', value: 2 },
        { op: 'replace', path: '/c~0d', value: 2 },
      ],
    ],
    [
      'an array that grows',
      [1],
      [1, 2, 3],
      [
        { op: 'add', path: '/1', value: 2 },
        { op: 'add', path: '/2', value: 3 },
      ],
    ],
    [
      'an array that shrinks',
      [1, 2, 3],
      [1],
      [
        { op: 'remove', path: '/2' },
        { op: 'remove', path: '/1' },
      ],
    ],
    [
      'a key `__proto__`, by the object around it',
      { o: JSON.parse('{"__proto__":1}') },
      { o: JSON.parse('{"__proto__":2}') },
      [{ op: 'replace', path: '/o', value: JSON.parse('{"__proto__":2}') }],
    ],
    ['nothing changed', { a: [1, { b: null }] }, { a: [1, { b: null }] }, []],
  ])('%s', (_, before, after, patch) => {
    expect(diffJson(before, after)).toEqual(patch);
  });
});

test('the first delta, and at least one in 500, sets the whole value', () => {
  const held = createValueState(DEFAULT_LIMITS);
  const filler = 'x'.repeat(200);
  const whole: number[] = [];
  for (let i = 0; i < 1_200; i++) {
    const [event] = held.setValue({ filler, n: i });
    if (event!.data.patch[0]!.path === '') whole.push(i);
  }
  expect(whole).toEqual([0, 500, 1_000]);
});

describe('large values', () => {
  test.each<[string, JsonValue]>([
    [
      'an object of many keys',
      Object.fromEntries(Array.from({ length: 9_000 }, (_, i) => [`key/${i}`, 'x'.repeat(20)])),
    ],
    ['an array in an array', [[Array.from({ length: 20_000 }, (_, i) => i)], 'after']],
    ['many large strings', { a: ['x'.repeat(26_000), 'y'.repeat(26_000)], b: { c: 'z'.repeat(28_000) } }],
    [
      'a key `__proto__` in a large object',
      JSON.parse(`{"a":"${'x'.repeat(26_000)}","b":"${'y'.repeat(26_000)}","__proto__":{"c":1}}`),
    ],
  ])('are built up by events of up to half a message: %s', (_, value) => {
    const events = createValueState(DEFAULT_LIMITS).setValue(value);
    expect(events.length).toBeGreaterThan(1);
    for (const { data } of events) expect(jsonBytes(data)).toBeLessThanOrEqual(DEFAULT_SIZE_LIMITS.part);
    expect(events[0]!.data.patch[0]!.path).toBe('');
    expect(apply(null, events)).toEqual(value);
  });

  test('with a string above half a message are rejected, and the previous value is kept', () => {
    const held = createValueState(DEFAULT_LIMITS);
    held.setValue({ a: 1 });
    expect(() => held.setValue({ a: 1, b: 'x'.repeat(70_000) })).toThrow(
      /structured_delta at "\/b" has 700\d\d bytes/,
    );
    expect(held.result()).toEqual({ a: 1 });
    expect(apply({ a: 1 }, held.setValue({ a: 2 }))).toEqual({ a: 2 });
  });

  test('add up to the value, split with any limit', () => {
    const leaf = fc.string({ unit: 'grapheme', maxLength: 10 }).map((s) => s.repeat(1_500).slice(0, 10_000));
    fc.assert(
      fc.property(
        fc.dictionary(key, fc.array(leaf, { maxLength: 6 }), { maxKeys: 5, noNullPrototype: true }),
        (value) => {
          if (Object.hasOwn(value, '__proto__') || Object.hasOwn(value, 'prototype')) return;
          const patches = splitPatch(diffJson(null, value));
          for (const patch of patches)
            expect(jsonBytes({ patch })).toBeLessThanOrEqual(DEFAULT_SIZE_LIMITS.part);
          const ts = '';
          expect(
            apply(
              null,
              patches.map((patch) => ({ type: 'structured_delta', ts, data: { patch } })),
            ),
          ).toEqual(value);
        },
      ),
      { numRuns: propertyRuns(100) },
    );
  });
});
