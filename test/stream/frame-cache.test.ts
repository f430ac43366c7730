// Frames that are cached for the next viewer, within limits.
import { expect, test } from 'vitest';
import type { ExecutionEvent } from '../../src/event/events.ts';
import { frame } from '../../src/sse/frame.ts';
import { FrameCache } from '../../src/stream/frame-cache.ts';

const event = (seq: number) => ({ seq, id: `${seq}-abcdefghij` }) as ExecutionEvent;
const ofBytes = (bytes: number) => frame(undefined, 'next', 'x'.repeat(bytes));

function keep(count: number, bytes: number) {
  const kept = new FrameCache();
  const events = Array.from({ length: count }, (_, i) => event(i + 1));
  for (const each of events) kept.set(each, ofBytes(bytes));
  return events.filter((each) => kept.get(each)).map(({ seq }) => seq);
}

test('the newest 1,024 frames are cached', () => {
  for (const count of [1_024, 1_025, 3_000, 3_001]) {
    const seqs = keep(count, 10);
    expect([seqs.length, seqs[0], seqs.at(-1)]).toEqual([1_024, count - 1_023, count]);
  }
});

test('up to 1 MiB of frames is cached, and always the newest one', () => {
  expect(keep(100, 100_000)).toEqual([91, 92, 93, 94, 95, 96, 97, 98, 99, 100]);
  expect(keep(3, 2_000_000)).toEqual([3]);
});

test('frames of exactly 1 MiB are cached, and one byte more evicts the oldest', () => {
  const overhead = ofBytes(0).length;
  const quarter = 256 * 1024 - overhead;
  expect(ofBytes(quarter)).toHaveLength(256 * 1024);
  expect(keep(4, quarter)).toEqual([1, 2, 3, 4]);
  expect(keep(5, quarter)).toEqual([2, 3, 4, 5]);
  const kept = new FrameCache();
  const events = [1, 2, 3, 4].map(event);
  for (const each of events) kept.set(each, ofBytes(each.seq < 4 ? quarter : quarter + 1));
  expect(events.map((each) => kept.get(each) !== undefined)).toEqual([false, true, true, true]);
});

test('events with the same cursor have different frames', () => {
  const kept = new FrameCache();
  const [logged, made] = [event(7), event(7)];
  kept.set(logged, ofBytes(1));
  expect(kept.get(made)).toBeUndefined();
});
