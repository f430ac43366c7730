// Waiting while executions are published: one query for all of them, and only uncertain ones are checked individually.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPublisherWatch } from '../../src/source/publisher-watch.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp() {
  const silenceMs = new Map<string, number>();
  const queries: (readonly string[])[] = [];
  const log = {
    isAway: false,
    silencesMs: async (ids: readonly string[]) => {
      queries.push(ids);
      if (log.isAway) throw new Error('unavailable');
      return ids.map((id) => silenceMs.get(id));
    },
  };
  const watch = createPublisherWatch(log, 10_000);
  const uncertain: string[] = [];
  const wait = (id: string, signal = new AbortController().signal) =>
    void watch.untilUncertain(id, signal).then(
      () => uncertain.push(id),
      (error: Error) => uncertain.push(`${id}: ${error.message}`),
    );
  return { silenceMs, queries, log, uncertain, wait };
}

test('executions with a recent heartbeat are checked with one query and stay certain', async () => {
  const { silenceMs, queries, uncertain, wait } = setUp();
  for (const id of ['a', 'b']) {
    silenceMs.set(id, 9_000);
    wait(id);
  }
  await vi.advanceTimersByTimeAsync(30_000);
  expect(queries).toEqual([
    ['a', 'b'],
    ['a', 'b'],
    ['a', 'b'],
  ]);
  expect(uncertain).toEqual([]);
});

test.each([
  ['whose last heartbeat is older than 20 s', 20_001],
  ['without a heartbeat', undefined],
])('an execution %s is uncertain, once', async (_, silence) => {
  const { silenceMs, uncertain, wait } = setUp();
  silenceMs.set('a', 0);
  wait('a');
  if (silence !== undefined) silenceMs.set('b', silence);
  wait('b');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(uncertain).toEqual(['b']);
  silenceMs.delete('a');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(uncertain).toEqual(['b', 'a']);
  expect(vi.getTimerCount()).toBe(0);
});

test('an unavailable log rejects every wait with its error', async () => {
  const { silenceMs, log, uncertain, wait } = setUp();
  for (const id of ['a', 'b']) {
    silenceMs.set(id, 0);
    wait(id);
  }
  log.isAway = true;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(uncertain).toEqual(['a: unavailable', 'b: unavailable']);
  expect(vi.getTimerCount()).toBe(0);
});

test('an aborted wait resolves and leaves no timer', async () => {
  const { uncertain, wait } = setUp();
  const stopping = new AbortController();
  wait('a', stopping.signal);
  stopping.abort();
  wait('b', stopping.signal);
  await vi.advanceTimersByTimeAsync(0);
  expect(uncertain).toEqual(['a', 'b']);
  expect(vi.getTimerCount()).toBe(0);
});
