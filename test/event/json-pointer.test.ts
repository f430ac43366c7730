// JSON Pointers and the messages of those that are rejected.
import { describe, expect, test } from 'vitest';
import { indexIn, PatchError, parsePointer, shorten } from '../../src/event/json-pointer.ts';

describe('a pointer', () => {
  test.each<[string, string[]]>([
    ['', []],
    ['/', ['']],
    ['/a//b/', ['a', '', 'b', '']],
    ['/a~1b/c~0d/~01/~10', ['a/b', 'c~d', '~1', '/0']],
    ['/constructor/name', ['constructor', 'name']],
    ['/prototype/constructor', ['prototype', 'constructor']],
  ])('%j has the tokens %j', (pointer, tokens) => {
    expect(parsePointer(pointer)).toEqual(tokens);
  });

  test.each<[unknown, string]>([
    [undefined, 'path: expected a JSON Pointer'],
    [7, 'path: expected a JSON Pointer'],
    ['a', 'a JSON Pointer begins with "/"'],
    ['a/b', 'a JSON Pointer begins with "/"'],
    ['/a~', 'a "~" in a JSON Pointer is followed by 0 or 1'],
    ['/a~2/b', 'a "~" in a JSON Pointer is followed by 0 or 1'],
    ['/~~0', 'a "~" in a JSON Pointer is followed by 0 or 1'],
    ['/a/__proto__', 'the path contains __proto__, which JSON Patch libraries reject'],
    ['/__proto__/a', 'the path contains __proto__, which JSON Patch libraries reject'],
    ['/constructor/prototype', 'the path contains prototype, which JSON Patch libraries reject'],
    ['/a/constructor/prototype/b', 'the path contains prototype, which JSON Patch libraries reject'],
  ])('%j is rejected: %s', (pointer, message) => {
    expect(() => parsePointer(pointer as string)).toThrow(
      expect.objectContaining({ name: 'PatchError', message }),
    );
    expect(() => parsePointer(pointer as string)).toThrow(PatchError);
  });
});

describe('an index', () => {
  const array = Array.from({ length: 12 }, () => null);

  test.each([
    ['0', 0],
    ['9', 9],
    ['10', 10],
    ['12', 12],
    ['-', 12],
  ])('%s is a place in an array of 12', (token, index) => {
    expect(indexIn(array, token)).toBe(index);
  });

  test.each(['13', '-1', '01', '1.0', '1e0', ' 1', '1 ', '', 'a', '1a', 'a1', '99999999999'])(
    '%j is not a place in an array of 12',
    (token) => {
      expect(() => indexIn(array, token)).toThrow(
        new PatchError(`"${token}" is not an index of an array of 12`),
      );
    },
  );

  test('that is long is shortened in the message', () => {
    expect(() => indexIn(array, 'x'.repeat(1_000))).toThrow(
      new PatchError(`"${'x'.repeat(80)}…" is not an index of an array of 12`),
    );
  });
});

test('a text of up to 80 characters is shown in full in a message, and a longer one is truncated', () => {
  expect(shorten('x'.repeat(80))).toBe('x'.repeat(80));
  expect(shorten('x'.repeat(81))).toBe(`${'x'.repeat(80)}…`);
});
