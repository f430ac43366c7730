// The heartbeat of a run: sent while the run is open, removed when nothing more is expected of it.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createPublisher } from '../../src/publish/publisher.ts';
import { createLivenessMonitor } from '../../src/source/liveness-monitor.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { createRecorder } from './rig.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

async function setUp() {
  const log = createMemoryLog();
  const store = createMemoryStore();
  const logger = createRecorder();
  const publisher = createPublisher({ log, store, logger });
  const beginning = publisher.begin({ id: 'a1', kind: 'agent' });
  await vi.advanceTimersByTimeAsync(100);
  const run = await beginning;
  return { log, store, logger, publisher, run };
}

test('an open run sends a heartbeat every 10 s, and its entry is removed when it ends', async () => {
  const { log, run } = await setUp();
  for (let i = 0; i < 20; i += 1) {
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await log.silenceMs('a1')).toBeLessThanOrEqual(10_000);
  }
  const ending = run.complete('x');
  await vi.advanceTimersByTimeAsync(100);
  await ending;
  expect(await log.silenceMs('a1')).toBeUndefined();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await log.silenceMs('a1')).toBeUndefined();
});

test('the entry of an abandoned run is removed', async () => {
  const { log, run } = await setUp();
  const leaving = run.abandon(new Error('this attempt failed'));
  await vi.advanceTimersByTimeAsync(100);
  await leaving;
  expect(await log.silenceMs('a1')).toBeUndefined();
});

test('a run that its publisher leaves open sends no more heartbeats, and its entry stays', async () => {
  const { log, publisher } = await setUp();
  const closing = publisher.close();
  await vi.advanceTimersByTimeAsync(60_000);
  await closing;
  expect(await log.silenceMs('a1')).toBeGreaterThanOrEqual(50_000);
});

test('a heartbeat that fails is followed by the next one, and the run stays open', async () => {
  const { log, run } = await setUp();
  const { recordHeartbeat } = log;
  log.recordHeartbeat = async () => {
    throw new Error('unavailable');
  };
  await vi.advanceTimersByTimeAsync(60_000);
  expect(run.state).toBe('open');
  expect(await log.silenceMs('a1')).toBeGreaterThan(50_000);
  log.recordHeartbeat = recordHeartbeat;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await log.silenceMs('a1')).toBeLessThanOrEqual(10_000);
});

test('the row of a run records that heartbeats are expected, before the first one is stored', async () => {
  const { store } = await setUp();
  expect(await store.expectingHeartbeats(undefined, 10)).toEqual([{ id: 'a1', kind: 'agent' }]);
});

test('the liveness sweep does not end an abandoned attempt, however late the next attempt begins', async () => {
  const { log, store, publisher, run } = await setUp();
  const stop = createLivenessMonitor({ log, store, reconcileEnd: async () => {} }).startSweeping();
  const leaving = run.abandon(new Error('this attempt failed'));
  await vi.advanceTimersByTimeAsync(3 * 60 * 60_000);
  await leaving;
  expect(await store.get('a1')).toMatchObject({ status: 'RUNNING', attempt: 1 });
  const beginning = publisher.begin({ id: 'a1', kind: 'agent' });
  await vi.advanceTimersByTimeAsync(100);
  const second = await beginning;
  expect(second.attempt).toBe(2);
  expect(await store.expectingHeartbeats(undefined, 10)).toHaveLength(1);
  const ending = second.complete('x');
  await vi.advanceTimersByTimeAsync(100);
  await ending;
  expect((await store.get('a1'))?.status).toBe('SUCCESS');
  stop();
});

test('abandoning an attempt while the store is unavailable takes up to closeMs and is logged', async () => {
  const { store, logger, run } = await setUp();
  store.isAway = true;
  const leaving = run.abandon(new Error('this attempt failed'));
  await vi.advanceTimersByTimeAsync(5_000);
  await leaving;
  const warnings = logger.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
  expect(warnings).toContain(
    'store unavailable: the execution may end as PUBLISHER_LOST before its next attempt begins',
  );
});
