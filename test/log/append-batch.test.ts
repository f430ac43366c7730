// The checks of an append's events, and how many events fit into one append.
import { describe, expect, test } from 'vitest';
import { checkBatch, splitIntoBatches } from '../../src/log/append-batch.ts';
import { type AppendRequest, MAX_BATCH_BYTES } from '../../src/log/log.ts';
import { chunk, complete, fixed, TS } from './recorder.ts';

describe('a batch', () => {
  test('that the log numbers has no first seq, and one that its source numbers has one', () => {
    expect(checkBatch([chunk('a'), chunk('b'), complete()])).toBeUndefined();
    expect(checkBatch(fixed(7, 'a', 'b'))).toBe(7);
    expect(checkBatch(fixed(1, 'a'))).toBe(1);
  });

  test.each<[string, AppendRequest['events'], string]>([
    ['no events', [], 'expected one or more events, got none'],
    ['a seq of 0', fixed(0, 'a', 'b'), 'event 1 of 2: expected seq to be an integer from 1, got 0'],
    ['a fraction as seq', fixed(1.5, 'a'), 'event 1 of 1: expected seq to be an integer from 1, got 1.5'],
    [
      'a seq above the safe integers',
      fixed(2 ** 53, 'a'),
      'event 1 of 1: expected seq to be an integer from 1, got 9007199254740992',
    ],
    ['a gap', [...fixed(3, 'a'), ...fixed(5, 'b')], 'event 2 of 2: expected seq 4, got 5'],
    ['a repeated seq', [...fixed(3, 'a'), ...fixed(3, 'b')], 'event 2 of 2: expected seq 4, got 3'],
    ['an event without a seq', [...fixed(3, 'a'), chunk('b')], 'event 2 of 2: expected seq 4, got undefined'],
    ['an event with a seq', [chunk('a'), ...fixed(1, 'b')], 'event 2 of 2: expected seq undefined, got 1'],
    [
      'no data',
      [chunk('a'), { ...chunk('b'), data: undefined as never }],
      'event 2 of 2: expected data to be an object, got undefined',
    ],
    [
      'null as data',
      [{ ...chunk('a'), data: null as never }],
      'event 1 of 1: expected data to be an object, got null',
    ],
    [
      'a text as data',
      [{ ...chunk('a'), data: 'x' as never }],
      'event 1 of 1: expected data to be an object, got string',
    ],
    [
      'an event after `complete`',
      [chunk('a'), complete(), chunk('b')],
      'event 2 of 3 is complete: no event may follow it',
    ],
    [
      'an event after `error`',
      [{ type: 'error', ts: TS, data: { status: 'FAILED', message: 'm', durationMs: 1 } }, complete()],
      'event 1 of 2 is error: no event may follow it',
    ],
  ])('is rejected if it has %s', (_, events, message) => {
    expect(() => checkBatch(events)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT', message }));
  });
});

describe('items that are split into batches', () => {
  /** Bytes that an event of this text counts. */
  const bytesOf = (text: string) => Buffer.byteLength(JSON.stringify(text)) + 256;
  const split = (texts: string[], maxEvents?: number) => splitIntoBatches(texts, (text) => text, maxEvents);

  test('stay together and in order up to exactly 256 KiB with their envelopes', () => {
    const [a, b] = ['x'.repeat(100_000), 'é'.repeat(50_000)];
    const rest = MAX_BATCH_BYTES - bytesOf(a) - bytesOf(b);
    const last = 'y'.repeat(rest - bytesOf(''));
    expect(split([a, b, last])).toEqual([[a, b, last]]);
    expect(split([a, b, `${last}y`])).toEqual([[a, b], [`${last}y`]]);
    expect(split([a, b, `${last}y`, 'z', last])).toEqual([
      [a, b],
      [`${last}y`, 'z', last],
    ]);
  });

  test('stay together up to the maximum number of events', () => {
    expect(split(['a', 'b', 'c', 'd', 'e'], 2)).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    expect(split(['a', 'b'], 2)).toEqual([['a', 'b']]);
    expect(split(Array.from({ length: 900 }, () => ''))).toHaveLength(1);
  });

  test('are no batch if there are none, and a batch alone if one is larger than an append', () => {
    expect(split([])).toEqual([]);
    const large = 'x'.repeat(MAX_BATCH_BYTES);
    expect(split(['a', large, 'b'])).toEqual([['a'], [large], ['b']]);
  });
});
