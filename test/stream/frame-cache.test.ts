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
  const seqs = keep(3_000, 10);
  expect([seqs.length, seqs[0], seqs.at(-1)]).toEqual([1_024, 1_977, 3_000]);
});

test('up to 1 MiB of frames is cached, and always the newest one', () => {
  expect(keep(100, 100_000)).toEqual([91, 92, 93, 94, 95, 96, 97, 98, 99, 100]);
  expect(keep(3, 2_000_000)).toEqual([3]);
});

test('events with the same cursor have different frames', () => {
  const kept = new FrameCache();
  const [logged, made] = [event(7), event(7)];
  kept.set(logged, ofBytes(1));
  expect(kept.get(made)).toBeUndefined();
});
