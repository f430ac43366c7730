// Writes of one tick are coalesced, and long rounds are followed by a pause if more was queued in the meantime.
import { setImmediate as immediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WriteScheduler } from '../../src/sse/write-scheduler.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Runs turns of the event loop; no time passes on the clock that the scheduler reads. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await immediate();
}

test('items of one tick are processed in one round after it', async () => {
  const done: number[] = [];
  const scheduler = new WriteScheduler<number>((item) => done.push(item));
  for (const item of [1, 2, 3]) scheduler.add(item);
  expect(done).toEqual([]);
  await immediate();
  expect(done).toEqual([1, 2, 3]);
});

test('an item that is added during a round is processed in the next one', async () => {
  const done: number[] = [];
  const scheduler = new WriteScheduler<number>((item) => {
    done.push(item);
    if (item < 3) scheduler.add(item + 1);
  });
  scheduler.add(1);
  await turns(3);
  expect(done).toEqual([1, 2, 3]);
});

/** Work that takes some time by the clock that the scheduler reads. */
function workOf(ms: number, work: (item: number) => void) {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  return (item: number) => {
    now += ms;
    work(item);
  };
}

test('a long round yields to the event loop, and keeps the order', async () => {
  const done: number[] = [];
  const others: number[] = [];
  const scheduler = new WriteScheduler<number>(
    workOf(1, (item) => {
      done.push(item);
      if (item === 0) scheduler.add(99);
      if (item === 0) setImmediate(() => others.push(done.length));
    }),
  );
  for (let item = 0; item < 40; item += 1) scheduler.add(item);
  await turns(7);
  expect(others).toEqual([8]);
  vi.advanceTimersByTime(20);
  expect(done).toEqual([...Array.from({ length: 40 }, (_, i) => i), 99]);
});

/** A round of 2,000 items of a given duration, during which one more is added. */
function manyOf(ms: number): { scheduler: WriteScheduler<number>; done: () => number } {
  let done = 0;
  const scheduler = new WriteScheduler<number>(
    workOf(ms, (item) => {
      done += 1;
      if (item === 1) scheduler.add(0);
    }),
  );
  for (let i = 0; i < 2_000; i += 1) scheduler.add(i);
  return { scheduler, done: () => done };
}

test.each([
  { each: 'takes 4 µs', ms: 0.0041, pauseMs: 8 },
  { each: 'takes 8 µs', ms: 0.0081, pauseMs: 16 },
  { each: 'takes 1 ms, up to the longest pause', ms: 1, pauseMs: 20 },
])(
  'items added during a round wait for as long as it took, if each of 2,000 items $each',
  async ({ ms, pauseMs }) => {
    const { scheduler, done } = manyOf(ms);
    await turns(300);
    expect(done()).toBe(2_000);
    scheduler.add(0);
    vi.advanceTimersByTime(pauseMs - 1);
    await turns(2);
    expect(done()).toBe(2_000);
    vi.advanceTimersByTime(1);
    await turns(2);
    expect(done()).toBe(2_002);
  },
);

test('items added after a long round, or during a short one, do not wait', async () => {
  let done = 0;
  const scheduler = new WriteScheduler<number>(
    workOf(0.0041, (item) => {
      done += 1;
      if (item === 1) scheduler.add(0);
    }),
  );
  for (let i = 2; i < 2_002; i += 1) scheduler.add(i);
  await turns(300);
  expect(done).toBe(2_000);
  scheduler.add(1);
  await turns(2);
  expect(done).toBe(2_002);
});

test('the pause is as long as all turns of a round, and everything added meanwhile is processed after it', async () => {
  const done: number[] = [];
  const scheduler = new WriteScheduler<number>(workOf(0.0041, (item) => done.push(item)));
  for (let i = 0; i < 2_000; i += 1) scheduler.add(i);
  await turns(2);
  expect(done.length).toBeLessThan(2_000);
  scheduler.add(0);
  await turns(20);
  scheduler.add(0);
  expect(done.length).toBe(2_000);
  vi.advanceTimersByTime(7);
  await turns(2);
  expect(done.length).toBe(2_000);
  vi.advanceTimersByTime(1);
  await turns(2);
  expect(done.length).toBe(2_002);
});
