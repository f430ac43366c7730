// Waiting while executions are published: one question for all, and only those in doubt are looked at.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPublisherWatch } from '../../src/source/publisher-watch.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp() {
  const silentMs = new Map<string, number>();
  const asked: (readonly string[])[] = [];
  const log = {
    isAway: false,
    silencesMs: async (ids: readonly string[]) => {
      asked.push(ids);
      if (log.isAway) throw new Error('away');
      return ids.map((id) => silentMs.get(id));
    },
  };
  const watch = createPublisherWatch(log, 10_000);
  const doubted: string[] = [];
  const wait = (id: string, signal = new AbortController().signal) =>
    void watch.inDoubt(id, signal).then(
      () => doubted.push(id),
      (error: Error) => doubted.push(`${id}: ${error.message}`),
    );
  return { silentMs, asked, log, doubted, wait };
}

test('whose publisher gives signs of life is asked about with the others, and not looked at', async () => {
  const { silentMs, asked, doubted, wait } = setUp();
  for (const id of ['a', 'b']) {
    silentMs.set(id, 9_000);
    wait(id);
  }
  await vi.advanceTimersByTimeAsync(30_000);
  expect(asked).toEqual([
    ['a', 'b'],
    ['a', 'b'],
    ['a', 'b'],
  ]);
  expect(doubted).toEqual([]);
});

test.each([
  ['was not heard of for 20 s', 20_001],
  ['gives no signs of life, or none any more', undefined],
])('whose publisher %s is looked at, once', async (_, silence) => {
  const { silentMs, doubted, wait } = setUp();
  silentMs.set('a', 0);
  wait('a');
  if (silence !== undefined) silentMs.set('b', silence);
  wait('b');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(doubted).toEqual(['b']);
  silentMs.delete('a');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(doubted).toEqual(['b', 'a']);
  expect(vi.getTimerCount()).toBe(0);
});

test('a log that does not answer is told to all who wait', async () => {
  const { silentMs, log, doubted, wait } = setUp();
  for (const id of ['a', 'b']) {
    silentMs.set(id, 0);
    wait(id);
  }
  log.isAway = true;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(doubted).toEqual(['a: away', 'b: away']);
  expect(vi.getTimerCount()).toBe(0);
});

test('who follows no longer waits no longer, and leaves no timer', async () => {
  const { doubted, wait } = setUp();
  const stopping = new AbortController();
  wait('a', stopping.signal);
  stopping.abort();
  wait('b', stopping.signal);
  await vi.advanceTimersByTimeAsync(0);
  expect(doubted).toEqual(['a', 'b']);
  expect(vi.getTimerCount()).toBe(0);
});
