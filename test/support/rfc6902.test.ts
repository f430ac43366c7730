// Checks the reference implementation of JSON Patch with the public test vectors.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { applyJsonPatch, copyJson, equalJson, type Json, type Operation } from './rfc6902.ts';

interface Vector {
  readonly comment?: string;
  readonly doc: Json;
  readonly patch: readonly Operation[];
  readonly expected?: Json;
  readonly error?: string;
  readonly disabled?: boolean;
}

function vectors(name: string): [string, Vector][] {
  const file = new URL(`./json-patch-tests/${name}`, import.meta.url);
  const all = JSON.parse(readFileSync(file, 'utf8')) as Vector[];
  const complete = all.filter(({ doc, patch }) => doc !== undefined && patch !== undefined);
  // "duplicate ops" needs a parser that detects duplicate keys, which JSON.parse does not.
  const runnable = complete.filter(({ disabled, error }) => !(disabled && error !== undefined));
  return runnable.map((vector, i) => [`${i} ${vector.comment ?? vector.error ?? ''}`, vector]);
}

describe.each(['spec_tests.json', 'tests.json'])('the vectors of %s', (name) => {
  test.each(vectors(name))('%s', (_, { doc, patch, expected, error }) => {
    const before = JSON.stringify([doc, patch]);
    if (error !== undefined) expect(() => applyJsonPatch(doc, patch)).toThrow();
    else {
      const result = applyJsonPatch(doc, patch);
      if (expected !== undefined) expect(equalJson(result, expected)).toBe(true);
    }
    expect(JSON.stringify([doc, patch])).toBe(before);
  });
});

test('an inserted value is not shared with the patch or with its copies', () => {
  const value = { items: [1] };
  const patch = [
    { op: 'add', path: '', value },
    { op: 'copy', from: '/items', path: '/again' },
    { op: 'add', path: '/items/-', value: 2 },
  ];
  expect(applyJsonPatch(null, patch)).toEqual({ items: [1, 2], again: [1] });
  expect(value).toEqual({ items: [1] });
});

test('the key __proto__ is an ordinary member', () => {
  const result = applyJsonPatch({}, [{ op: 'add', path: '/__proto__', value: { a: 1 } }]);
  expect(JSON.stringify(result)).toBe('{"__proto__":{"a":1}}');
  expect(equalJson(copyJson(result), result)).toBe(true);
  expect(equalJson({ a: 1 }, { b: 1 })).toBe(false);
});
