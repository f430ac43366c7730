// Batch polling: few queries for all followers, for as long as there are followers.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createBatchPoller } from '../../src/source/batch-poller.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a batch poller polls all followers together, 1,000 per call, and has no timer without followers', async () => {
  const batches: number[] = [];
  const poller = createBatchPoller(5_000, async (followers) => void batches.push(followers.length));
  const [removeFirst, ...removeOthers] = Array.from({ length: 2_500 }, (_, i) =>
    poller.add({ executionId: `e${i}` }),
  );
  await vi.advanceTimersByTimeAsync(5_000);
  expect(batches).toEqual([1_000, 1_000, 500]);
  for (const remove of removeOthers) remove();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(batches.slice(3)).toEqual([1]);
  removeFirst!();
  expect(vi.getTimerCount()).toBe(0);
});

test('a poll that fails is followed by the next one', async () => {
  let polls = 0;
  const poller = createBatchPoller(1_000, async () => {
    polls += 1;
    throw new Error('unavailable');
  });
  const remove = poller.add({ executionId: 'e' });
  await vi.advanceTimersByTimeAsync(3_000);
  expect(polls).toBe(3);
  remove();
});

test('two followers of one execution are removed independently', async () => {
  const polled: string[] = [];
  const poller = createBatchPoller<{ executionId: string; name: string }>(1_000, async (followers) => {
    for (const { name } of followers) polled.push(name);
  });
  const remove = poller.add({ executionId: 'e', name: 'one' });
  poller.add({ executionId: 'e', name: 'other' });
  remove();
  remove();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(polled).toEqual(['other']);
});
