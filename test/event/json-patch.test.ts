// JSON Patch: the public test vectors, for both ways of editing, and what `applyPatch` shares with its input.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonValue, PatchOperation } from '../../src/event/events.ts';
import { JsonDocument } from '../../src/event/json-document.ts';
import { applyPatch, defineMember, type JsonObject, setsWholeValue } from '../../src/event/json-patch.ts';
import { PatchWork } from '../../src/event/json-size.ts';
import { deepFreeze } from '../support/deep-freeze.ts';
import { patchCases } from '../support/patch-cases.ts';
import { checkCases, PATCH_TIMEOUT_MS } from '../support/property.ts';
import { propertyRuns } from '../support/property-runs.ts';

interface Vector {
  readonly comment?: string;
  readonly doc: JsonValue;
  readonly patch: PatchOperation[];
  readonly expected?: JsonValue;
  readonly error?: string;
}

const ALL = ['tests', 'spec_tests'].flatMap((name) => {
  const file = join(import.meta.dirname, `../support/json-patch-tests/${name}.json`);
  return (JSON.parse(readFileSync(file, 'utf8')) as Vector[]).map((vector, i) => ({
    title: `${name} ${i}: ${vector.comment ?? JSON.stringify(vector.patch)}`,
    vector,
  }));
});

/** Duplicate member names: JSON.parse keeps the last one, so no applier of parsed patches can notice them. */
const isInexpressible = ({ vector }: (typeof ALL)[number]) => /two 'op' members/.test(vector.error ?? '');

const VECTORS = ALL.filter((each) => !isInexpressible(each));

function applyInPlace(value: JsonValue, patch: readonly PatchOperation[]): JsonValue {
  const document = new JsonDocument();
  document.apply([{ op: 'add', path: '', value }], new PatchWork());
  document.apply(patch, new PatchWork());
  return document.toJson();
}

describe.each([
  ['applyPatch', applyPatch],
  ['JsonDocument', applyInPlace],
])('%s passes the public test vectors', (_, apply) => {
  test.each(VECTORS)('$title', ({ vector: { doc, patch, expected, error } }) => {
    const input = JSON.stringify([doc, patch]);
    if (error === undefined) expect(apply(deepFreeze(doc), deepFreeze(patch))).toEqual(expected ?? doc);
    else expect(() => apply(deepFreeze(doc), deepFreeze(patch))).toThrow(/^patch\.\d+: /);
    expect(JSON.stringify([doc, patch])).toBe(input);
  });
});

describe.each([
  ['applyPatch', applyPatch],
  ['JsonDocument', applyInPlace],
])('%s names the operation that does not apply, and the reason', (_, apply) => {
  const absent = 'there is no value at this path';
  const throughScalar = 'the path leads through a value that is not an object or array, or is absent';
  test.each<[string, Partial<Record<keyof PatchOperation, unknown>>, string]>([
    ['a member that is absent', { op: 'remove', path: '/none' }, `remove "/none": ${absent}`],
    [
      'an element after the last',
      { op: 'replace', path: '/list/1', value: 0 },
      `replace "/list/1": ${absent}`,
    ],
    [
      'the place after the last element',
      { op: 'test', path: '/list/-', value: 0 },
      `test "/list/-": ${absent}`,
    ],
    ['a path through a number', { op: 'add', path: '/n/a', value: 0 }, `add "/n/a": ${throughScalar}`],
    [
      'a path through a text',
      { op: 'test', path: '/text/0', value: 'x' },
      `test "/text/0": ${throughScalar}`,
    ],
    ['a path through null', { op: 'add', path: '/null/a', value: 0 }, `add "/null/a": ${throughScalar}`],
    [
      'a path through an absent member',
      { op: 'add', path: '/x/y', value: 0 },
      `add "/x/y": ${throughScalar}`,
    ],
    [
      'a test of another value',
      { op: 'test', path: '/n', value: 2 },
      'test "/n": the value is not the expected one',
    ],
    ['no value', { op: 'add', path: '/a' }, 'add "/a": value: expected a JSON value, got none'],
    [
      'no value to replace',
      { op: 'replace', path: '/n' },
      'replace "/n": value: expected a JSON value, got none',
    ],
    ['no value to test', { op: 'test', path: '/n' }, 'test "/n": value: expected a JSON value, got none'],
    ['no source of a copy', { op: 'copy', path: '/a' }, 'copy "/a": from: expected a JSON Pointer, got none'],
    ['no source of a move', { op: 'move', path: '/a' }, 'move "/a": from: expected a JSON Pointer, got none'],
    ['no path', { op: 'add', value: 1 }, 'add "undefined": path: expected a JSON Pointer'],
    [
      'a move into itself',
      { op: 'move', from: '/o', path: '/o/in/x' },
      'move "/o/in/x": a value cannot be moved into itself',
    ],
    [
      'a move of the root into itself',
      { op: 'move', from: '', path: '/o' },
      'move "/o": a value cannot be moved into itself',
    ],
    [
      'an element that is moved into itself',
      { op: 'move', from: '/pair/0', path: '/pair/0/x' },
      'move "/pair/0/x": a value cannot be moved into itself',
    ],
    ['an unknown operation', { op: 'append', path: '/a' }, 'append "/a": unknown operation "append"'],
    ['a long path', { op: 'remove', path: `/${'k'.repeat(100)}` }, `remove "/${'k'.repeat(79)}…": ${absent}`],
  ])('%s', (_, operation, message) => {
    const value = deepFreeze({ n: 1, text: 'x', null: null, list: [0], o: { in: {} }, pair: [{}, {}] });
    const patch = [{ op: 'test', path: '/n', value: 1 }, operation] as PatchOperation[];
    expect(() => apply(value, patch)).toThrow(expect.objectContaining({ message: `patch.1: ${message}` }));
  });

  test('and a value may be moved to a name that begins with its own', () => {
    expect(apply({ o: 1 }, [{ op: 'move', from: '/o', path: '/of' }])).toEqual({ of: 1 });
  });
});

test('all vectors run, those that the suite disables for other libraries included', () => {
  const failing = VECTORS.filter(({ vector }) => vector.error !== undefined);
  expect([ALL.length, VECTORS.length, failing.length]).toEqual([112, 110, 34]);
});

describe('applyPatch', () => {
  test('keeps the identity of every part that the patch does not touch', () => {
    const before = deepFreeze({
      list: [{ a: 1 }, { b: [2] }] as JsonValue[],
      other: { deep: {} },
      text: 'x',
    });
    const after = applyPatch(before, [
      { op: 'add', path: '/list/1/b/-', value: 3 },
      { op: 'replace', path: '/text', value: 'y' },
    ]) as { list: JsonValue[]; other: JsonValue };
    expect(after).toEqual({ list: [{ a: 1 }, { b: [2, 3] }], other: { deep: {} }, text: 'y' });
    expect(after.list[0]).toBe(before.list[0]);
    expect(after.other).toBe(before.other);
    expect(after.list).not.toBe(before.list);
  });

  test('keeps the identity of the source of a copy, and of a value that is moved onto itself', () => {
    const before = deepFreeze({ a: { x: {} }, b: {} });
    const copied = applyPatch(before, [{ op: 'copy', from: '/a/x', path: '/c' }]) as typeof before;
    expect(copied).toEqual({ ...before, c: {} });
    expect(copied.a).toBe(before.a);
    const moved = applyPatch(before, [{ op: 'move', from: '/a', path: '/a' }]) as typeof before;
    expect(moved.a).toBe(before.a);
    expect(Object.keys(moved)).toEqual(['a', 'b']);
  });

  test('copies a container on a path once per patch', () => {
    const list = Array.from({ length: 1_000 }, (_, i) => i);
    let copied = 0;
    const counted = new Proxy(list, {
      get: (target, key, receiver) => {
        if (key === Symbol.iterator) copied += 1;
        return Reflect.get(target, key, receiver);
      },
    });
    const patch = list.map((i): PatchOperation => ({ op: 'replace', path: `/list/${i}`, value: 0 }));
    expect(applyPatch({ list: counted }, patch)).toEqual({ list: list.map(() => 0) });
    expect(copied).toBe(1);
  });

  test('returns the same value for a patch that only tests', () => {
    const before = deepFreeze({ a: [1, { b: null }] });
    expect(applyPatch(before, [{ op: 'test', path: '/a/1', value: { b: null } }])).toBe(before);
  });

  test('keeps the members of a copy apart from those of its source, also within one patch', () => {
    const after = applyPatch(deepFreeze({ a: { list: [1] } }), [
      { op: 'add', path: '/a/list/-', value: 2 },
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'add', path: '/a/list/-', value: 3 },
      { op: 'copy', from: '', path: '/all' },
      { op: 'remove', path: '/b/list/0' },
    ]);
    const all = { a: { list: [1, 2, 3] }, b: { list: [1, 2] } };
    expect(after).toEqual({ a: { list: [1, 2, 3] }, b: { list: [2] }, all });
  });

  test('never changes the operands that it inserted', () => {
    const patch = deepFreeze<PatchOperation[]>([
      { op: 'add', path: '', value: { items: [1] } },
      { op: 'add', path: '/items/-', value: 2 },
      { op: 'move', from: '/items', path: '/moved' },
      { op: 'add', path: '/moved/0', value: 0 },
    ]);
    expect(applyPatch(null, patch)).toEqual({ moved: [0, 1, 2] });
  });

  test('keeps a member named __proto__ of a value that it copies', () => {
    const before = deepFreeze(JSON.parse('{"in":{"__proto__":{"polluted":true},"a":1}}') as JsonValue);
    const after = applyPatch(before, [{ op: 'add', path: '/in/b', value: 2 }]);
    expect(JSON.stringify(after)).toBe('{"in":{"__proto__":{"polluted":true},"a":1,"b":2}}');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test(
    'gives the value of the reference implementation for random patches, and changes no input',
    () =>
      checkCases(patchCases, async ({ batches, states }) => {
        let value: JsonValue = null;
        batches.flat().forEach((patch, i) => {
          value = deepFreeze(applyPatch(value, deepFreeze(patch) as PatchOperation[]));
          expect(value).toEqual(states[i]);
        });
      }),
    PATCH_TIMEOUT_MS,
  );

  test('agrees with JsonDocument about operations that may not apply', () => {
    const path = fc
      .array(fc.constantFrom('a', 'b', 'c~1', '0', '1', '-', '', '__proto__'), { maxLength: 3 })
      .map((keys) => keys.map((each) => `/${each}`).join(''));
    const operation = fc.record({
      op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
      path,
      from: path,
      value: fc.jsonValue({ maxDepth: 2 }),
    }) as fc.Arbitrary<PatchOperation>;
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 10 }), (patch) => {
        const before = deepFreeze<JsonValue>({ a: [{}, []], b: { a: {} } });
        const outcomeOf = (apply: typeof applyPatch) => {
          try {
            return { value: apply(before, patch) };
          } catch (error) {
            return { error: (error as Error).message };
          }
        };
        expect(outcomeOf(applyPatch)).toEqual(outcomeOf(applyInPlace));
      }),
      { numRuns: propertyRuns(2_000) },
    );
  });
});

test.each<[boolean, PatchOperation[]]>([
  [true, [{ op: 'add', path: '', value: 1 }]],
  [true, [{ op: 'replace', path: '', value: null }]],
  [false, [{ op: 'test', path: '', value: 1 }]],
  [false, [{ op: 'remove', path: '' }]],
  [false, [{ op: 'add', path: '/', value: 1 }]],
  [false, []],
])('setsWholeValue is %s for %j', (expected, patch) => {
  expect(setsWholeValue(patch)).toBe(expected);
});

test.each(['__proto__', 'a'])('defineMember adds a member named %s as JSON.parse does', (key) => {
  const object: JsonObject = {};
  defineMember(object, key, 1);
  const parsed = JSON.parse(`{"${key}":1}`);
  expect(Object.getOwnPropertyDescriptors(object)).toEqual(Object.getOwnPropertyDescriptors(parsed));
});
