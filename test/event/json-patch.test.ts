// JSON Patch: the public test vectors, for both ways of editing, and what `applyPatch` shares with its input.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonValue, PatchOperation } from '../../src/event/events.ts';
import { JsonDocument } from '../../src/event/json-document.ts';
import { applyPatch, setsWholeValue } from '../../src/event/json-patch.ts';
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
