// The end of executions whose publisher is lost, in fake time, with the memory log.
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import { ID, MINUTE_MS, setUp } from './silent-publisher.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('an execution whose publisher is lost ends as FAILED once, with three servers and no viewer', async () => {
  const { log, store, all, types } = await setUp({}, 3);
  for (const { startSweeping } of all) startSweeping();
  await vi.advanceTimersByTimeAsync(5 * MINUTE_MS);
  expect(await store.get(ID)).toMatchObject({ status: 'RUNNING' });
  await vi.advanceTimersByTimeAsync(36_000);
  const row = await store.get(ID);
  expect(row).toMatchObject({ status: 'FAILED', error: { code: 'PUBLISHER_LOST' } });
  expect(await types()).toEqual(['error']);
  expect(row?.end).toEqual({ seq: 1, epoch: (await log.head(ID))?.epoch });
  const [event] = (await log.read(ID, 0, 1))!.events;
  expect(event).toMatchObject({ data: { status: 'FAILED', code: 'PUBLISHER_LOST' } });
  await vi.advanceTimersByTimeAsync(2 * MINUTE_MS);
  expect(await types()).toEqual(['error']);
  expect(await log.silenceMs(ID)).toBeUndefined();
});

test('a publisher that returns after the end receives `ended`', async () => {
  const { log, first } = await setUp({ lostAfterMs: MINUTE_MS });
  first.startSweeping();
  const { epoch } = (await log.head(ID))!;
  await vi.advanceTimersByTimeAsync(3 * MINUTE_MS);
  const late = { type: 'llm_chunk', ts: '2026-01-01T00:00:00.000Z', data: { content: 'late' } } as const;
  const append = { epoch, acknowledged: 0, publisher: 'p', events: [late] };
  expect(await log.append(ID, append)).toEqual({ outcome: 'ended', end: 1 });
  expect(await log.open(ID, { numbering: 'auto', publisher: 'p', attempt: 1 })).toMatchObject({
    outcome: 'ended',
  });
});

test('an execution whose publisher is lost ends after the configured time', async () => {
  const { store, first } = await setUp({ lostAfterMs: 20 * MINUTE_MS });
  first.startSweeping();
  await vi.advanceTimersByTimeAsync(20 * MINUTE_MS);
  expect((await store.get(ID))?.status).toBe('RUNNING');
  await vi.advanceTimersByTimeAsync(2 * MINUTE_MS);
  expect((await store.get(ID))?.status).toBe('FAILED');
});

test('an execution whose end is decided elsewhere is left open', async () => {
  const { store, types, first } = await setUp({ isEndedElsewhere: (row) => row.workflowId !== undefined });
  first.startSweeping();
  await vi.advanceTimersByTimeAsync(10 * MINUTE_MS);
  expect((await store.get(ID))?.status).toBe('RUNNING');
  expect(await types()).toEqual([]);
});

test('an execution whose publisher is alive after an outage of the log is left open', async () => {
  // Sweeps exactly 30 s apart: with two within 36 s, the second would rightly end it.
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  onTestFinished(() => void vi.mocked(Math.random).mockRestore());
  const { log, store, first } = await setUp();
  first.startSweeping();
  const { findSilent } = log;
  log.findSilent = async () => {
    throw new ExecstreamError('SOURCE_UNAVAILABLE', 'unavailable');
  };
  await vi.advanceTimersByTimeAsync(20 * MINUTE_MS);
  log.findSilent = findSilent;
  // The first sweep after the outage sees heartbeats that are 20 minutes old.
  await vi.advanceTimersByTimeAsync(36_000);
  expect((await store.get(ID))?.status).toBe('RUNNING');
  await log.recordHeartbeat(ID);
  await vi.advanceTimersByTimeAsync(2 * MINUTE_MS);
  expect((await store.get(ID))?.status).toBe('RUNNING');
});

test('an execution whose publisher is lost ends once the store is available again', async () => {
  const { store, first, types } = await setUp();
  first.startSweeping();
  store.isAway = true;
  await vi.advanceTimersByTimeAsync(10 * MINUTE_MS);
  store.isAway = false;
  expect(await types()).toEqual([]);
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  expect((await store.get(ID))?.status).toBe('FAILED');
  expect(await types()).toEqual(['error']);
});

test('an execution whose publisher died between row and log gets its missing content and its end', async () => {
  const { store, first, types, log } = await setUp();
  first.startSweeping();
  await store.finish(ID, 1, { status: 'SUCCESS', result: 'all of it' });
  await vi.advanceTimersByTimeAsync(7 * MINUTE_MS);
  expect(await types()).toEqual(['llm_chunk', 'complete']);
  expect(await log.silenceMs(ID)).toBeUndefined();
});

test('a stopped sweep leaves no timer', async () => {
  const { first } = await setUp();
  first.startSweeping()();
  await vi.advanceTimersByTimeAsync(0);
  expect(vi.getTimerCount()).toBe(0);
});

test('each sweep ends up to 5,000 executions, four at a time', async () => {
  // Sweeps exactly 30 s apart.
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  onTestFinished(() => void vi.mocked(Math.random).mockRestore());
  const { log, store, first } = await setUp();
  const ids = Array.from({ length: 6_000 }, (_, i) => `lost-${String(i).padStart(4, '0')}`);
  for (const id of ids) {
    await store.begin({ id, kind: 'agent', mode: 'TEXT', expectsHeartbeats: true });
    await log.recordHeartbeat(id);
  }
  await log.removeHeartbeat(ID);
  let running = 0;
  let maxRunning = 0;
  const { finish } = store;
  store.finish = async (...args) => {
    running += 1;
    maxRunning = Math.max(maxRunning, running);
    try {
      return await finish(...args);
    } finally {
      running -= 1;
    }
  };
  first.startSweeping();
  const ended = async () => {
    const rows = await Promise.all(ids.map((id) => store.get(id)));
    return rows.filter((row) => row?.finishedAt).length;
  };
  await vi.advanceTimersByTimeAsync(5 * MINUTE_MS + 36_000);
  expect(await ended()).toBe(5_000);
  expect(maxRunning).toBeLessThanOrEqual(4);
  await vi.advanceTimersByTimeAsync(36_000);
  expect(await ended()).toBe(6_000);
});
