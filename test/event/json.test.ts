// Sizes of events, and copies of JSON values from callers.
import { describe, expect, test } from 'vitest';
import { formatCursor } from '../../src/event/cursor.ts';
import type { NewEvent } from '../../src/event/events.ts';
import { copyJson, eventBytes, jsonBytes } from '../../src/event/json.ts';

test.each([
  ['a number', -12.5, 5],
  ['a large number', 1e21, 5],
  ['a number that JSON writes as null', Number.NaN, 4],
  ['infinity, which JSON writes as null', Number.POSITIVE_INFINITY, 4],
  ['text, in bytes and with its quotes', 'é"', 6],
  ['a boolean', true, 4],
  ['null', null, 4],
  ['an object', { a: [1, 'b'] }, 13],
])('jsonBytes measures the JSON of %s', (_, value, bytes) => {
  expect(jsonBytes(value)).toBe(bytes);
  expect(jsonBytes(value)).toBe(Buffer.byteLength(JSON.stringify(value)));
});

test('eventBytes is an upper bound of the bytes of an event in a log, by less than 256 bytes', () => {
  const event: NewEvent = { type: 'structured_delta', ts: '2026-01-01T00:00:00.000Z', data: { patch: [] } };
  const seq = Number.MAX_SAFE_INTEGER;
  const stored = { id: formatCursor(seq, '0123456789abcdef'), seq, attempt: 1_000_000, ...event };
  const bytes = Buffer.byteLength(JSON.stringify(stored));
  expect(eventBytes(event)).toBeGreaterThanOrEqual(bytes);
  expect(eventBytes(event)).toBeLessThan(bytes + 256);
});

describe('copyJson', () => {
  test('returns a copy that later changes by the caller do not reach', () => {
    const value = { list: [1] };
    const copy = copyJson(value, 'result');
    value.list.push(2);
    expect(copy).toEqual({ list: [1] });
  });

  test('returns what JSON writes, and undefined for a value that JSON cannot represent', () => {
    expect(copyJson({ at: new Date(0), skipped: undefined } as object, 'result')).toStrictEqual({
      at: '1970-01-01T00:00:00.000Z',
    });
    expect(copyJson(null, 'result')).toBeNull();
    for (const value of [undefined, () => 1, Symbol('x')]) expect(copyJson(value, 'result')).toBeUndefined();
  });

  test('rejects a cycle and a BigInt, with the name of the value and the cause', () => {
    const cycle: { self?: object } = {};
    cycle.self = cycle;
    for (const [value, reason] of [
      [cycle, 'args is not JSON: Converting circular structure to JSON'],
      [1n, 'args: expected JSON, got the BigInt 1; pass it as a string'],
      [
        { cycle, orders: [{ id: 9_007_199_254_740_993n }] },
        'args.orders.0.id: expected JSON, got the BigInt 9007199254740993; pass it as a string',
      ],
    ] as const) {
      expect(() => copyJson(value as unknown, 'args')).toThrow(
        expect.objectContaining({
          code: 'BAD_USER_INPUT',
          message: expect.stringContaining(reason),
          cause: expect.any(TypeError),
        }),
      );
    }
  });

  test('accepts 128 levels and rejects 129', () => {
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    expect(copyJson(nested(128), 'result')).toEqual(nested(128));
    expect(() => copyJson(nested(129), 'result')).toThrow(
      expect.objectContaining({
        code: 'BAD_USER_INPUT',
        message: 'result is nested deeper than 128 levels',
      }),
    );
  });
});
