// Looks at many executions together: all of them, by few questions, for as long as they are followed.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createBatchPoller } from '../../src/source/batch-poller.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('all that have joined are looked at together, 1,000 at a time', async () => {
  const asked: number[] = [];
  const rounds = createBatchPoller(5_000, async (followers) => void asked.push(followers.length));
  const leave = Array.from({ length: 2_500 }, (_, i) => rounds.add({ executionId: `e${i}` }));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(asked).toEqual([1_000, 1_000, 500]);
  for (const each of leave.slice(1)) each();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(asked.slice(3)).toEqual([1]);
  leave[0]!();
  expect(vi.getTimerCount()).toBe(0);
});

test('a look that fails is followed by the next one', async () => {
  let looks = 0;
  const rounds = createBatchPoller(1_000, async () => {
    looks += 1;
    throw new Error('away');
  });
  const leave = rounds.add({ executionId: 'e' });
  await vi.advanceTimersByTimeAsync(3_000);
  expect(looks).toBe(3);
  leave();
});

test('who follows an execution that another follows too leaves alone', async () => {
  const seen: string[] = [];
  const rounds = createBatchPoller<{ executionId: string; name: string }>(1_000, async (followers) => {
    for (const { name } of followers) seen.push(name);
  });
  const leave = rounds.add({ executionId: 'e', name: 'one' });
  rounds.add({ executionId: 'e', name: 'other' });
  leave();
  leave();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(seen).toEqual(['other']);
});
