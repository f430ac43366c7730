// Patches between values: reducing them from null gives each value (PROTOCOL.md, "Events": structured_delta).
import fc from 'fast-check';
import jsonPatch from 'fast-json-patch';
import { describe, expect, test } from 'vitest';
import type { JsonValue, NewEvent, PatchOperation } from '../../src/event/events.ts';
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
function deltasOf(events: NewEvent[]): NewEvent<'structured_delta'>[] {
  return events.filter((event) => event.type === 'structured_delta');
}

function apply(value: JsonValue, events: NewEvent<'structured_delta'>[]): JsonValue {
  let folded = value;
  for (const { data } of structuredClone(events)) {
    folded = jsonPatch.applyPatch(folded, data.patch as never, true).newDocument as JsonValue;
  }
  return folded;
}

/** The events that carry patches. */
function deltas(patches: PatchOperation[][]): NewEvent<'structured_delta'>[] {
  return patches.map((patch) => ({ type: 'structured_delta', ts: '', data: { patch } }));
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
          const events = deltasOf(held.setValue(JSON.parse(JSON.stringify(value))));
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
    [
      'a key `__proto__` that is added, by the object around it',
      { o: {} },
      { o: JSON.parse('{"__proto__":2}') },
      [{ op: 'replace', path: '/o', value: JSON.parse('{"__proto__":2}') }],
    ],
    [
      'a key `prototype` that is removed, by the object around it',
      { o: { prototype: 1, a: 1 } },
      { o: { a: 1 } },
      [{ op: 'replace', path: '/o', value: { a: 1 } }],
    ],
    [
      'an object with a key `__proto__` that did not change',
      { a: 1, o: JSON.parse('{"__proto__":{"b":1}}') },
      { a: 2, o: JSON.parse('{"__proto__":{"b":1}}') },
      [{ op: 'replace', path: '/a', value: 2 }],
    ],
    [
      'keys that are removed and added, which are removed first',
      { 'a/b': 1, kept: 1 },
      { kept: 1, 'c~d': [2] },
      [
        { op: 'remove', path: '/a~1b' },
        { op: 'add', path: '/c~0d', value: [2] },
      ],
    ],
    ['an array that becomes an object', { a: [] }, { a: {} }, [{ op: 'replace', path: '/a', value: {} }]],
    ['an object that becomes null', { a: {} }, { a: null }, [{ op: 'replace', path: '/a', value: null }]],
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
    const [event] = deltasOf(held.setValue({ filler, n: i }));
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
    const events = deltasOf(createValueState(DEFAULT_LIMITS).setValue(value));
    expect(events.length).toBeGreaterThan(1);
    for (const { data } of events) expect(jsonBytes(data)).toBeLessThanOrEqual(DEFAULT_SIZE_LIMITS.part);
    expect(events[0]!.data.patch[0]!.path).toBe('');
    expect(apply(null, events)).toEqual(value);
  });

  test('with a new string above half a message lead to one warning, and the previous value is kept', () => {
    const held = createValueState(DEFAULT_LIMITS);
    held.setValue({ a: 1 });
    const message = expect.stringMatching(/structured_delta at "\/b" has 700\d\d bytes/);
    const warning = { type: 'warning', data: { code: 'EVENT_TOO_LARGE', message } };
    expect(held.setValue({ a: 1, b: 'x'.repeat(70_000) })).toMatchObject([warning]);
    expect(held.setValue({ a: 2, b: 'x'.repeat(70_000) })).toEqual([]);
    expect(held.result()).toEqual({ a: 1 });
    expect(apply({ a: 1 }, deltasOf(held.setValue({ a: 2 })))).toEqual({ a: 2 });
    expect(held.setValue({ a: 1, b: 'x'.repeat(70_000) })).toMatchObject([warning]);
  });

  test('add up to the value, split with any limit', () => {
    const leaf = fc.string({ unit: 'grapheme', maxLength: 10 }).map((s) => s.repeat(1_500).slice(0, 9_000));
    fc.assert(
      fc.property(
        fc.dictionary(key, fc.array(leaf, { maxLength: 6 }), { maxKeys: 5, noNullPrototype: true }),
        (value) => {
          if (Object.hasOwn(value, '__proto__') || Object.hasOwn(value, 'prototype')) return;
          const patches = splitPatch(diffJson(null, value));
          for (const patch of patches)
            expect(jsonBytes({ patch })).toBeLessThanOrEqual(DEFAULT_SIZE_LIMITS.part);
          expect(apply(null, deltas(patches))).toEqual(value);
        },
      ),
      { numRuns: propertyRuns(100) },
    );
  });
});

describe('a patch that is split', () => {
  const tooLarge = (message: string) =>
    expect.objectContaining({ code: 'EVENT_TOO_LARGE', message: expect.stringContaining(message) });
  const { part } = DEFAULT_SIZE_LIMITS;

  test('fills events up to exactly the size limit of one', () => {
    const patch = diffJson({ a: 1, b: 1 }, { a: 2, b: 3 });
    const bytes = jsonBytes({ patch }) + 1;
    expect(splitPatch(patch, { sizes: { part: bytes } })).toEqual([patch]);
    expect(splitPatch(patch, { sizes: { part: bytes - 1 } })).toEqual(patch.map((operation) => [operation]));
  });

  test('keeps a single operation of exactly the size limit, and splits a larger one', () => {
    const patch = diffJson(null, ['abc', 'def']);
    const bytes = jsonBytes({ patch }) + 1;
    expect(splitPatch(patch, { sizes: { part: bytes } })).toEqual([patch]);
    expect(splitPatch(patch, { sizes: { part: bytes - 1 } })).toEqual([
      [{ op: 'replace', path: '', value: ['abc'] }],
      [{ op: 'add', path: '/1', value: 'def' }],
    ]);
    const text = diffJson({ a: '' }, { a: 'xyz' });
    const textBytes = jsonBytes({ patch: text }) + 1;
    expect(splitPatch(text, { sizes: { part: textBytes } })).toEqual([text]);
    expect(() => splitPatch(text, { sizes: { part: textBytes - 1 } })).toThrow(
      tooLarge(
        `structured_delta at "/a" has ${jsonBytes(text[0])} bytes of data; an event may have ${textBytes - 1}`,
      ),
    );
  });

  test('puts as many members into the first operation as fit, and each other one into its own', () => {
    const value = { a: 1, b: 2, c: 3 };
    // The members that fit count with a comma each.
    const first = jsonBytes({ patch: [{ op: 'replace', path: '', value: { a: 1, b: 2 } }] }) + 2;
    const opsOf = (bytes: number) => splitPatch(diffJson(null, value), { sizes: { part: bytes } }).flat();
    expect(opsOf(first)).toEqual([
      { op: 'replace', path: '', value: { a: 1, b: 2 } },
      { op: 'add', path: '/c', value: 3 },
    ]);
    expect(opsOf(first - 1)).toEqual([
      { op: 'replace', path: '', value: { a: 1 } },
      { op: 'add', path: '/b', value: 2 },
      { op: 'add', path: '/c', value: 3 },
    ]);
  });

  test('may have exactly `totalBytes` bytes of operations with their commas, and not one less', () => {
    const patch = diffJson({ a: 1, b: 1 }, { a: 2, b: 'x' });
    const bytes = patch.reduce((sum, operation) => sum + jsonBytes(operation) + 1, 0);
    expect(splitPatch(patch, { totalBytes: bytes })).toEqual([patch]);
    expect(() => splitPatch(patch, { totalBytes: bytes - 1 })).toThrow(
      tooLarge(
        `structured_delta at "/b": split into events of ${part} bytes, the patch has more than ${bytes - 1} bytes; build the value in several batches`,
      ),
    );
  });

  test('is rejected if a member whose key no path can have does not fit into the first operation', () => {
    const large = JSON.stringify(Array.from({ length: part }, (_, i) => i));
    const value = JSON.parse(`{"a":1,"__proto__":${large}}`) as JsonValue;
    expect(() => splitPatch(diffJson({ o: 1 }, { o: value }))).toThrow(tooLarge('structured_delta at "/o"'));
    const other = { o: { a: JSON.parse(large) as JsonValue } };
    expect(apply({ o: 1 }, deltas(splitPatch(diffJson({ o: 1 }, other))))).toEqual(other);
  });

  test('is rejected with up to 80 characters of the path', () => {
    const keyOf = (length: number) => 'k'.repeat(length - 1);
    const rejected = (length: number) => () =>
      splitPatch(diffJson({}, { [keyOf(length)]: 'x'.repeat(part) }));
    expect(rejected(80)).toThrow(tooLarge(`structured_delta at "/${keyOf(80)}" `));
    expect(rejected(81)).toThrow(tooLarge(`structured_delta at "/${keyOf(80)}…" `));
  });

  test('is rejected if its path alone does not fit into an event', () => {
    const patch = diffJson({}, { ['k'.repeat(part)]: [1] });
    expect(() => splitPatch(patch)).toThrow(tooLarge(`structured_delta at "/${'k'.repeat(79)}…" has `));
  });
});
