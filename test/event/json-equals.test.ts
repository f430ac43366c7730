// Equality of JSON values (RFC 6902, section 4.6), and its cost.
import { expect, test } from 'vitest';
import type { JsonValue } from '../../src/event/events.ts';
import { jsonEquals } from '../../src/event/json-equals.ts';

test.each<[JsonValue | undefined, JsonValue | undefined, boolean]>([
  [null, null, true],
  [undefined, undefined, true],
  [undefined, null, false],
  [0, -0, true],
  [1, 1.0, true],
  [1, '1', false],
  [0, false, false],
  [{}, {}, true],
  [[], [], true],
  [{}, null, false],
  [[], null, false],
  [{}, 0, false],
  [[], '', false],
  [[], {}, false],
  [[1], { 0: 1 }, false],
  [[1], { 0: 1, length: 1 }, false],
  [[1, 2], [1, 2], true],
  [[1, 2], [2, 1], false],
  [[1], [1, 2], false],
  [{ a: 1, b: [{}] }, { b: [{}], a: 1 }, true],
  [{ a: 1 }, { a: 2 }, false],
  [{ a: 1 }, { b: 1 }, false],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [{ toString: null }, {}, false],
  [JSON.parse('{"__proto__":{}}'), { a: {} }, false],
])('whether %j equals %j, in either order: %s', (a, b, equal) => {
  expect(jsonEquals(a, b)).toBe(equal);
  expect(jsonEquals(b, a)).toBe(equal);
});

test('a comparison spends one visit for each pair of values, and one for each key of both objects', () => {
  const cost = (a: JsonValue, b: JsonValue): number => {
    let visits = 0;
    jsonEquals(a, b, (more) => (visits += more));
    return visits;
  };
  expect(cost(1, 2)).toBe(1);
  expect(cost([1, 2], [1, 2])).toBe(3);
  expect(cost([1, 2], [1])).toBe(1);
  expect(cost({ a: 1, b: 2 }, { a: 1, b: 2 })).toBe(1 + 4 + 2);
  expect(cost({ a: 1 }, { a: 1, b: 2, c: 3 })).toBe(1 + 4);
});

test('a comparison stops if `spend` throws', () => {
  const stop = new Error('spent');
  let left = 3;
  const spend = (visits: number) => {
    left -= visits;
    if (left < 0) throw stop;
  };
  expect(() => jsonEquals([1, 2, 3], [1, 2, 3], spend)).toThrow(stop);
});
