// Text that is split anywhere and joined is the same, byte for byte (PROTOCOL.md, "Events": llm_chunk).
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_SIZE_LIMITS } from '../../src/event/size-limits.ts';
import {
  contentBytes,
  createTextCutter,
  splitText,
  tailOf,
  truncate,
  truncateToBytes,
  utf8Bytes,
} from '../../src/event/text.ts';
import { frame } from '../../src/sse/frame.ts';
import { propertyRuns } from '../support/property-runs.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '\r',
        '\n',
        '\r\n',
        ' ',
        '\n\n',
        '\t',
        '\0',
        '"',
        '\\',
        'é',
        '漢',
        '😀',
        '\ud83d',
        '\ude00',
        'a',
        '\u2028',
      ),
      { maxLength: 60 },
    )
    .map((parts) => parts.join('')),
);
const cutsBadly = (chunk: string, next: string): boolean =>
  /[\ud800-\udbff]$/.test(chunk) && /^[\udc00-\udfff]/.test(next)
    ? true
    : /\r$/.test(chunk) && next.startsWith('\n');

describe('the cutter', () => {
  test('returns all of any text in chunks that never split a surrogate pair or a CRLF', () => {
    fc.assert(
      fc.property(anyText, fc.array(fc.nat(), { maxLength: 8 }), (text, at) => {
        const cuts = [...new Set(at.map((n) => n % (text.length + 1)))].sort((a, b) => a - b);
        const cutter = createTextCutter();
        const chunks: string[] = [];
        let from = 0;
        for (const cut of [...cuts, text.length]) {
          chunks.push(...cutter.add(text.slice(from, cut)));
          from = cut;
        }
        const rest = cutter.flush();
        const all = rest === '' ? chunks : [...chunks, rest];
        expect(all.join('')).toBe(text);
        for (let i = 1; i < all.length; i++) expect(cutsBadly(all[i - 1]!, all[i]!)).toBe(false);
        expect(all).not.toContain('');
      }),
      { numRuns: propertyRuns(1_000) },
    );
  });

  test('returns all of a text that arrives one code unit at a time', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const cutter = createTextCutter();
        const chunks = text.split('').flatMap((unit) => cutter.add(unit));
        expect(chunks.join('') + cutter.flush()).toBe(text);
        for (let i = 1; i < chunks.length; i++) expect(cutsBadly(chunks[i - 1]!, chunks[i]!)).toBe(false);
      }),
      { numRuns: propertyRuns(1_000) },
    );
  });
});

describe('splitText', () => {
  const { part } = DEFAULT_SIZE_LIMITS;

  test('returns pieces within the limit of bytes that add up to the text', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 12, max: 40 }), (text, max) => {
        const pieces = splitText(text, { part: max + 14 });
        expect(pieces.join('')).toBe(text);
        for (const piece of pieces) expect(contentBytes(piece)).toBeLessThanOrEqual(max);
        for (let i = 1; i < pieces.length; i++) expect(cutsBadly(pieces[i - 1]!, pieces[i]!)).toBe(false);
      }),
      { numRuns: propertyRuns(1_000) },
    );
  });

  test.each(['a', '\0', '漢', '😀', '\r\n', '"'])('fills a chunk up to the limit: %j', (unit) => {
    const pieces = splitText(unit.repeat(100_000));
    const sizes = pieces.map((content) => Buffer.byteLength(JSON.stringify({ content })));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(part);
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(part - 8);
  });

  test.each(['\n', '\r', '\r\n', '\n\r', 'a\n', '\0\n'])(
    'a chunk of %j also fits into one plain SSE message',
    (unit) => {
      const pieces = splitText(unit.repeat(100_000));
      const sizes = pieces.map((piece) => frame('1-abcdefghij12', 'llm_chunk', piece).length);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(DEFAULT_SIZE_LIMITS.message);
      for (const content of pieces) {
        expect(Buffer.byteLength(JSON.stringify({ content }))).toBeLessThanOrEqual(part);
      }
    },
  );
});

test('tailOf returns the end of a text within the limit, never beginning inside a surrogate pair', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 0, max: 30 }), (text, max) => {
      const tail = tailOf(text, max);
      expect(text.endsWith(tail)).toBe(true);
      expect(Buffer.byteLength(tail)).toBeLessThanOrEqual(max);
      expect(cutsBadly(text.slice(0, text.length - tail.length), tail)).toBe(false);
      if (Buffer.byteLength(text) <= max) expect(tail).toBe(text);
    }),
    { numRuns: propertyRuns(1_000) },
  );
});

test('utf8Bytes counts what an encoder writes', () => {
  for (const text of ['', 'a', 'é', '€', '😀', 'aé€😀\u07ff\u0800\uffff']) {
    expect(utf8Bytes(text)).toBe(Buffer.byteLength(text));
  }
});

test('truncate keeps a text that fits, and never splits a surrogate pair', () => {
  expect(truncate('abc', 3)).toBe('abc');
  expect(truncate('abcd', 3)).toBe('abc…');
  expect(truncate('ab😀d', 3)).toBe('ab…');
  expect(truncate('a😀bc', 3)).toBe('a😀…');
});

test('truncateToBytes keeps a text that fits as JSON, and never splits a surrogate pair', () => {
  expect(truncateToBytes('abc', 3)).toBe('abc');
  expect(truncateToBytes('abcd', 3)).toBe('abc…');
  expect(truncateToBytes('é\0', 7)).toBe('é…');
  expect(truncateToBytes('a😀b', 4)).toBe('a…');
});

/** What each kind of code unit counts: JSON bytes without the quotes, and 4 for a line break. */
const UNIT_BYTES: [code: number, bytes: number][] = [
  ...[0x00, 0x07, 0x0b, 0x0e, 0x1f, 0xd800, 0xdbff, 0xdc00, 0xdfff].map((code): [number, number] => [
    code,
    6,
  ]),
  ...[0x0a, 0x0d].map((code): [number, number] => [code, 4]),
  ...[0x08, 0x09, 0x0c, 0x22, 0x5c, 0x80, 0x7ff].map((code): [number, number] => [code, 2]),
  ...[0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f].map((code): [number, number] => [code, 1]),
  ...[0x800, 0xd7ff, 0xe000, 0xffff].map((code): [number, number] => [code, 3]),
];

test.each(UNIT_BYTES)('the code unit %i counts %i bytes, in a text and where it is split', (code, bytes) => {
  const unit = String.fromCharCode(code);
  expect(contentBytes(unit)).toBe(bytes);
  expect(contentBytes(unit.repeat(3))).toBe(3 * bytes);
  const split = (maxBytes: number) => splitText(unit.repeat(3), { part: 14 + maxBytes });
  expect(split(2 * bytes)).toEqual([unit.repeat(2), unit]);
  expect(split(2 * bytes - 1)).toEqual([unit, unit, unit]);
  expect(split(3 * bytes)).toEqual([unit.repeat(3)]);
});

test.each(['\r\n', '\ud800\udc00', '\udbff\udfff'])('%j counts 4 bytes and is never split', (pair) => {
  expect(contentBytes(pair)).toBe(4);
  expect(splitText(pair.repeat(3), { part: 14 + 8 })).toEqual([pair.repeat(2), pair]);
  expect(splitText(pair.repeat(3), { part: 14 + 7 })).toEqual([pair, pair, pair]);
});

test.each([
  ['abcdef', 4, 'cdef'],
  ['abcd', 4, 'abcd'],
  ['é'.repeat(10), 10, 'é'.repeat(5)],
  ['漢'.repeat(4), 7, '漢漢'],
  ['a\r\nb', 2, 'b'],
  ['x\ny', 2, '\ny'],
  ['\rab', 2, 'ab'],
  ['a\r\nb', 3, '\r\nb'],
  ['😀😀', 7, '😀'],
  ['xx\ude00', 3, '\ude00'],
  ['\ud83dab', 2, 'ab'],
])('the end of %j up to %i bytes is %j', (text, maxBytes, end) => {
  expect(tailOf(text, maxBytes)).toBe(end);
});

test('text that was held back is returned once', () => {
  const cutter = createTextCutter();
  expect(cutter.add('a\r')).toEqual(['a']);
  expect(cutter.add('')).toEqual([]);
  expect(cutter.flush()).toBe('\r');
  expect(cutter.flush()).toBe('');
  expect(cutter.add('b')).toEqual(['b']);
});

test('utf8Bytes counts each kind of code unit as an encoder does', () => {
  for (const text of [
    '\u007f',
    '\u0080',
    '\u07ff',
    '\u0800',
    '\ud7ff',
    '\ue000',
    '\ud800\udc00',
    '\udbff\udfff',
  ]) {
    expect(utf8Bytes(text)).toBe(Buffer.byteLength(text));
    expect(utf8Bytes(`a${text}a`)).toBe(Buffer.byteLength(text) + 2);
  }
});
