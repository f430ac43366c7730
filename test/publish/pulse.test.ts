// A run keeps its execution alive for as long as something is to be expected of it.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createPublisher } from '../../src/publish/publisher.ts';
import { createMemoryStore } from '../support/memory-store.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

async function setUp() {
  const log = createMemoryLog();
  const publisher = createPublisher({ log, store: createMemoryStore() });
  const beginning = publisher.begin({ id: 'a1', kind: 'agent' });
  await vi.advanceTimersByTimeAsync(100);
  const run = await beginning;
  return { log, publisher, run };
}

test('an open run is heard of every 10 s, and is forgotten with its end', async () => {
  const { log, run } = await setUp();
  for (let i = 0; i < 20; i += 1) {
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await log.silence('a1')).toBeLessThanOrEqual(10_000);
  }
  const ending = run.complete('x');
  await vi.advanceTimersByTimeAsync(100);
  await ending;
  expect(await log.silence('a1')).toBeUndefined();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await log.silence('a1')).toBeUndefined();
});

test('a run that gave up for another attempt to follow is forgotten', async () => {
  const { log, run } = await setUp();
  const leaving = run.abandon(new Error('this try'));
  await vi.advanceTimersByTimeAsync(100);
  await leaving;
  expect(await log.silence('a1')).toBeUndefined();
});

test('a run that is left open falls silent', async () => {
  const { log, publisher } = await setUp();
  const closing = publisher.close();
  await vi.advanceTimersByTimeAsync(60_000);
  await closing;
  expect(await log.silence('a1')).toBeGreaterThanOrEqual(50_000);
});

test('a log that is away is tried again, and work goes on', async () => {
  const { log, run } = await setUp();
  const { keepAlive } = log;
  log.keepAlive = async () => {
    throw new Error('away');
  };
  await vi.advanceTimersByTimeAsync(60_000);
  expect(run.state).toBe('open');
  expect(await log.silence('a1')).toBeGreaterThan(50_000);
  log.keepAlive = keepAlive;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await log.silence('a1')).toBeLessThanOrEqual(10_000);
});
