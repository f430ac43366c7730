// Fields of what SDKs and servers send, which may have any type.
import { expect, test } from 'vitest';
import { count, field, nameIn } from '../../../src/publish/llm/fields.ts';

test.each([
  [0, 0],
  [7, 7],
  [-1, 0],
  [1.5, 0],
  [Number.NaN, 0],
  [2 ** 53, 0],
  ['7', 0],
  [null, 0],
  [undefined, 0],
])('the number of tokens in %j is %i', (value, expected) => {
  expect(count(value)).toBe(expected);
});

test.each([
  ['a', 'a'],
  ['', ''],
  [7, '7'],
  [{}, ''],
  [null, ''],
  [undefined, ''],
])('the name in %j is "%s"', (value, expected) => {
  expect(nameIn(value)).toBe(expected);
});

test.each([null, undefined, 'text', 7, {}])('%j has no field', (value) => {
  expect(field(value, 'name')).toBeUndefined();
});

test('objects and functions have fields', () => {
  expect([
    field({ a: 1 }, 'a'),
    field(
      Object.assign(() => {}, { a: 2 }),
      'a',
    ),
  ]).toEqual([1, 2]);
});
