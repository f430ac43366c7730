// Integers that JSON.parse would change are found, with their paths, or kept as text.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findInexactInteger, parseExactly } from '../../src/event/json-integers.ts';
import { propertyRuns } from '../support/property-runs.ts';

test.each([
  ['the first integer that is not exact', '9007199254740993', ''],
  ['a negative one', '-9007199254740993', ''],
  ['an id of 64 bits', '{"id":12345678901234567890}', 'id'],
  ['the largest integer of 64 bits', '[0,{"a":[18446744073709551615]}]', '1.a.0'],
  [
    'one after members, strings and containers',
    '{"a":[1,"9007199254740993"],"b":{"c":"]}"},"d":[{},9007199254740993]}',
    'd.1',
  ],
  ['one under an escaped key', '{"a\\"\\\\b":[9007199254740993]}', 'a"\\b.0'],
  ['one with a fraction of zeros', '{"a" : 9007199254740993.0 }', 'a'],
  ['one with an exponent', '[1,9007199254740.993e3]', '1'],
  ['one out of range', '[1e999]', '0'],
  ['many digits', `[${'123456789'.repeat(20)}]`, '0'],
])('finds %s', (_, json, path) => {
  expect(findInexactInteger(json)?.path.join('.')).toBe(path);
});

test.each([
  ['2 to the power of 53', '9007199254740992'],
  ['a power of ten', '10000000000000000000000'],
  ['an exponent', '[1e23,1E+300,-1e22]'],
  ['zeros', '[0,-0,0.0,0e999,0.000000000000000000000]'],
  ['fractions, which are always rounded', '[3.14159265358979323846,1e-400,12345678901234567890.5]'],
  ['digits in strings and keys', '{"9007199254740993":"9007199254740993 \\" 9007199254740993"}'],
])('passes %s', (_, json) => {
  expect(findInexactInteger(json)).toBeUndefined();
});

test('parseExactly keeps the digits of such integers as strings, and changes nothing else', () => {
  const json = '{"id": 12345678901234567890, "list": [9007199254740993, 1, 2.5], "text": "9007199254740993"}';
  expect(parseExactly(json)).toEqual({
    id: '12345678901234567890',
    list: ['9007199254740993', 1, 2.5],
    text: '9007199254740993',
  });
});

test('parseExactly parses what JSON.stringify writes as JSON.parse does', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = JSON.stringify(value);
      expect(parseExactly(json)).toEqual(JSON.parse(json));
      expect(findInexactInteger(json)).toBeUndefined();
    }),
    { numRuns: propertyRuns(200) },
  );
});

test('an integer is found exactly if JSON.parse and JSON.stringify change it', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 69n), max: 2n ** 69n }), (integer) => {
      const isChanged = JSON.stringify(JSON.parse(`${integer}`)) !== `${integer}`;
      expect(findInexactInteger(`${integer}`) !== undefined).toBe(isChanged);
    }),
    { numRuns: propertyRuns(500) },
  );
});
