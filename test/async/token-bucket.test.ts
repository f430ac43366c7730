// Token buckets: a burst, a rate, and bounded memory.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TokenBuckets } from '../../src/async/token-bucket.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

/** How many tokens can be taken now. */
function available(buckets: TokenBuckets, key = 'a'): number {
  let taken = 0;
  while (buckets.take(key) === 0) taken += 1;
  return taken;
}

test('a full bucket serves its burst immediately and refills at its rate, up to the burst', () => {
  const buckets = new TokenBuckets({ perSecond: 2, burst: 10 });
  expect(available(buckets)).toBe(10);
  vi.advanceTimersByTime(3_000);
  expect(available(buckets)).toBe(6);
  vi.advanceTimersByTime(60_000);
  expect(available(buckets)).toBe(10);
});

test('an empty bucket returns the time until its next token', () => {
  const buckets = new TokenBuckets({ perSecond: 4, burst: 1 });
  buckets.take('a');
  expect(buckets.take('a')).toBe(250);
  vi.advanceTimersByTime(100);
  expect(buckets.take('a')).toBeCloseTo(150);
  vi.advanceTimersByTime(150);
  expect(buckets.take('a')).toBe(0);
});

test('retrying while the bucket is empty does not delay the next token', () => {
  const buckets = new TokenBuckets({ perSecond: 10, burst: 1 });
  buckets.take('a');
  for (let ms = 0; ms < 99; ms += 1) {
    vi.advanceTimersByTime(1);
    expect(buckets.take('a')).toBeGreaterThan(0);
  }
  vi.advanceTimersByTime(1);
  expect(buckets.take('a')).toBe(0);
});

test('keys do not share tokens', () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 3 });
  expect(available(buckets, 'a')).toBe(3);
  expect(available(buckets, 'b')).toBe(3);
});

test('a returned token can be taken again, and never exceeds the burst', () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 2 });
  expect(available(buckets)).toBe(2);
  buckets.giveBack('a');
  expect(available(buckets)).toBe(1);
  for (let i = 0; i < 5; i += 1) buckets.giveBack('a');
  expect(available(buckets)).toBe(2);
  buckets.giveBack('never seen');
  expect(available(buckets, 'never seen')).toBe(2);
});

test('memory is bounded by the number of keys; the least recently used key is evicted', () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, 3);
  buckets.take('busy');
  for (let i = 0; i < 1_000; i += 1) {
    buckets.take(`idle-${i}`);
    expect(buckets.take('busy')).toBeGreaterThan(0);
  }
  expect(buckets.size).toBe(3);
});
