// Silent publishers: warnings to viewers and ends of executions, in fake time, with the memory log.
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createEndReconciler } from '../../src/source/end-reconciler.ts';
import { createLivenessMonitor, type LivenessMonitorOptions } from '../../src/source/liveness-monitor.ts';
import { createMissingHeartbeats } from '../../src/source/missing-heartbeats.ts';
import { content } from '../support/content.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { audience } from './audience.ts';

const ID = 'agent-1';
const MINUTE_MS = 60_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A published open execution and a number of servers. */
async function setUp(options: Partial<LivenessMonitorOptions> = {}, servers = 1) {
  const log = createMemoryLog();
  const store = createMemoryStore();
  await store.begin({ id: ID, kind: 'agent', mode: 'TEXT', workflowId: 'wf-1' });
  await log.open(ID, { numbering: 'auto', publisher: 'p', attempt: 1 });
  await log.recordHeartbeat(ID);
  const reconcileEnd = createEndReconciler({ log, store, content, graceMs: 0 });
  const all = Array.from({ length: servers }, () =>
    createLivenessMonitor({ log, store, reconcileEnd, ...options }),
  );
  const types = async () => (await log.read(ID, 0, 100))?.events.map(({ type }) => type);
  return { log, store, all, first: all[0]!, types };
}

describe('silence warnings', () => {
  test('a viewer is warned once after 30 s without a heartbeat, and so is a viewer who joins later', async () => {
    const { log, first } = await setUp();
    const viewers = audience();
    first.follow(ID, viewers);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(viewers.warnings).toEqual([]);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(viewers.warnings).toEqual(['PUBLISHER_SILENT']);
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(viewers.warnings).toEqual(['PUBLISHER_SILENT']);
    expect(viewers.activeWarning).toBe('PUBLISHER_SILENT');
    // The first viewer of another process.
    const late = audience();
    first.follow(ID, late);
    await vi.advanceTimersByTimeAsync(0);
    expect(late.activeWarning).toBe('PUBLISHER_SILENT');

    await log.recordHeartbeat(ID);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(viewers.activeWarning).toBeUndefined();
    await vi.advanceTimersByTimeAsync(36_000);
    expect(viewers.warnings).toEqual(['PUBLISHER_SILENT', 'PUBLISHER_SILENT']);
  });

  test('a viewer is not warned while heartbeats arrive, nor if there has never been one', async () => {
    const { log, first } = await setUp();
    const [viewers, others] = [audience(), audience()];
    first.follow(ID, viewers);
    first.follow('published-by-hand', others);
    for (let i = 0; i < 60; i += 1) {
      await log.recordHeartbeat(ID);
      await vi.advanceTimersByTimeAsync(10_000);
    }
    expect([...viewers.warnings, ...others.warnings]).toEqual([]);
  });

  test('after the last viewer leaves, there are no more warnings and no timer', async () => {
    const { first } = await setUp();
    const viewers = audience();
    first.follow(ID, viewers)();
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(viewers.warnings).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('lost publishers', () => {
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

  test('an execution whose end another source decides is left alone', async () => {
    const { store, types, first } = await setUp({ isEndedElsewhere: (row) => row.workflowId !== undefined });
    first.startSweeping();
    await vi.advanceTimersByTimeAsync(10 * MINUTE_MS);
    expect((await store.get(ID))?.status).toBe('RUNNING');
    expect(await types()).toEqual([]);
  });

  test('an execution whose publisher is alive after an outage of the log is left alone', async () => {
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
});

describe('open executions without a heartbeat', () => {
  const NEVER = ['agent-never-1', 'agent-never-2'];

  /** Executions that publishers began and that have no heartbeat: it was lost with the log, or never stored. */
  async function setUpLost(options: Partial<LivenessMonitorOptions> = {}, servers = 1) {
    const parts = await setUp(options, servers);
    for (const id of NEVER) {
      await parts.store.begin({ id, kind: 'agent', mode: 'TEXT', expectsHeartbeats: true });
    }
    const statuses = async () =>
      Promise.all(NEVER.map(async (id) => (await parts.store.get(id))?.error?.code ?? 'open'));
    return { ...parts, statuses };
  }

  test('an execution without a heartbeat ends as PUBLISHER_LOST within the configured time and two sweeps', async () => {
    const { all, statuses, store, log } = await setUpLost({}, 3);
    for (const { startSweeping } of all) startSweeping();
    await vi.advanceTimersByTimeAsync(5 * MINUTE_MS);
    expect(await statuses()).toEqual(['open', 'open']);
    await vi.advanceTimersByTimeAsync(70_000);
    expect(await statuses()).toEqual(['PUBLISHER_LOST', 'PUBLISHER_LOST']);
    for (const id of NEVER) {
      const events = (await log.read(id, 0, 10))!.events;
      expect(events.map(({ type }) => type)).toEqual(['error']);
      expect((await store.get(id))?.end).toMatchObject({ seq: 1 });
    }
  });

  test('an execution without a heartbeat ends within a time shorter than the default sweep interval', async () => {
    const { first, statuses } = await setUpLost({ lostAfterMs: 3_000 });
    first.startSweeping();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await statuses()).toEqual(['open', 'open']);
    await vi.advanceTimersByTimeAsync(2 * 1_170);
    expect(await statuses()).toEqual(['PUBLISHER_LOST', 'PUBLISHER_LOST']);
  });

  test('an execution stays open while its publisher sends heartbeats again', async () => {
    const { log, first, statuses } = await setUpLost();
    first.startSweeping();
    await vi.advanceTimersByTimeAsync(40_000);
    for (let i = 0; i < 60; i += 1) {
      await log.recordHeartbeat(NEVER[0]!);
      await vi.advanceTimersByTimeAsync(10_000);
    }
    expect(await statuses()).toEqual(['open', 'PUBLISHER_LOST']);
  });

  test('an execution from which no heartbeats are expected, such as a row by plain SQL, stays open', async () => {
    const { store, log, first } = await setUpLost();
    await store.begin({ id: 'plain-sql', kind: 'agent', mode: 'TEXT' });
    first.startSweeping();
    await vi.advanceTimersByTimeAsync(60 * MINUTE_MS);
    expect((await store.get('plain-sql'))?.status).toBe('RUNNING');
    expect(await log.silenceMs('plain-sql')).toBeUndefined();
  });

  test('an execution whose end Temporal decides stays open, and its viewers are not warned', async () => {
    const isEndedElsewhere: LivenessMonitorOptions['isEndedElsewhere'] = ({ workflowId }) =>
      workflowId !== undefined;
    const { store, log, first } = await setUpLost({ isEndedElsewhere });
    const id = 'workflow-1';
    await store.begin({
      ...{ id, kind: 'workflow', mode: 'STRUCTURED', workflowId: 'wf' },
      expectsHeartbeats: true,
    });
    const viewers = audience();
    first.follow(id, viewers);
    first.startSweeping();
    await vi.advanceTimersByTimeAsync(20 * MINUTE_MS);
    expect((await store.get(id))?.status).toBe('RUNNING');
    expect(await log.silenceMs(id)).toBeUndefined();
    expect(viewers.warnings).toEqual([]);
  });

  test('an abandoned execution stays open, even if a heartbeat was recorded afterwards', async () => {
    const { store, log, first, statuses } = await setUpLost();
    for (const id of NEVER) await store.abandon(id, 1);
    await log.recordMissingHeartbeats(NEVER);
    first.startSweeping();
    await vi.advanceTimersByTimeAsync(20 * MINUTE_MS);
    expect(await statuses()).toEqual(['open', 'open']);
    expect(await log.silencesMs(NEVER)).toEqual([undefined, undefined]);
  });

  test('an execution without a heartbeat is found again after the log is emptied a second time', async () => {
    const { log, first, statuses } = await setUpLost();
    first.startSweeping();
    await vi.advanceTimersByTimeAsync(4 * MINUTE_MS);
    for (const id of NEVER) await log.removeHeartbeat(id);
    await vi.advanceTimersByTimeAsync(5 * MINUTE_MS + 70_000);
    expect(await statuses()).toEqual(['PUBLISHER_LOST', 'PUBLISHER_LOST']);
  });

  test('an execution whose heartbeat is in the future, because a clock was set back, ends', async () => {
    const { log, first, statuses } = await setUpLost();
    const now = Date.now();
    vi.setSystemTime(now + 24 * 60 * MINUTE_MS);
    await log.recordHeartbeat(NEVER[0]!);
    vi.setSystemTime(now);
    first.startSweeping();
    await vi.advanceTimersByTimeAsync(5 * MINUTE_MS + 70_000);
    expect(await statuses()).toEqual(['PUBLISHER_LOST', 'PUBLISHER_LOST']);
  });

  test('an execution ends after log and store were unavailable to many sweeps', async () => {
    const { log, store, first, statuses } = await setUpLost();
    const { recordMissingHeartbeats } = log;
    log.recordMissingHeartbeats = async () => {
      throw new ExecstreamError('SOURCE_UNAVAILABLE', 'unavailable');
    };
    first.startSweeping();
    await vi.advanceTimersByTimeAsync(10 * MINUTE_MS);
    log.recordMissingHeartbeats = recordMissingHeartbeats;
    store.isAway = true;
    await vi.advanceTimersByTimeAsync(10 * MINUTE_MS);
    store.isAway = false;
    expect(await statuses()).toEqual(['open', 'open']);
    await vi.advanceTimersByTimeAsync(5 * MINUTE_MS + 70_000);
    expect(await statuses()).toEqual(['PUBLISHER_LOST', 'PUBLISHER_LOST']);
  });

  test('an execution with a heartbeat ends even if open executions cannot be listed', async () => {
    const { store, first } = await setUpLost();
    store.expectingHeartbeats = async () => {
      throw new ExecstreamError('SOURCE_UNAVAILABLE', 'unavailable');
    };
    first.startSweeping();
    await vi.advanceTimersByTimeAsync(5 * MINUTE_MS + 36_000);
    expect((await store.get(ID))?.status).toBe('FAILED');
  });
});

describe('recording missing heartbeats', () => {
  /** A store of 45,500 open executions, and the sizes of the pages that were read. */
  function manyOpen() {
    const ids = Array.from({ length: 45_500 }, (_, i) => `e${String(i).padStart(5, '0')}`);
    const pages: number[] = [];
    const expectingHeartbeats = async (after: string | undefined, limit: number) => {
      const from = after === undefined ? 0 : ids.indexOf(after) + 1;
      pages.push(limit);
      return ids.slice(from, from + limit).map((id) => ({ id, kind: 'agent' as const }));
    };
    return { ids, pages, store: { expectingHeartbeats } };
  }
  const isEndedElsewhere = () => false;
  const { signal } = new AbortController();

  test('a step reads up to 20 pages of 1,000, and the next step continues after them', async () => {
    const { ids, pages, store } = manyOpen();
    const log = createMemoryLog();
    const step = createMissingHeartbeats({ log, store, isEndedElsewhere });
    const recorded = async () => (await log.silencesMs(ids)).filter((ms) => ms !== undefined).length;
    for (const expected of [20_000, 40_000, 45_500]) {
      await step(signal);
      expect(await recorded()).toBe(expected);
    }
    expect(pages).toEqual(Array(46).fill(1_000));
    await log.removeHeartbeat(ids[3]!);
    await step(signal);
    expect(await recorded()).toBe(45_500);
  });

  test('a step that fails is continued with the page that failed', async () => {
    const { ids, pages, store } = manyOpen();
    const log = createMemoryLog();
    const { recordMissingHeartbeats } = log;
    let calls = 0;
    log.recordMissingHeartbeats = async (page) => {
      calls += 1;
      if (calls === 3) throw new ExecstreamError('SOURCE_UNAVAILABLE', 'unavailable');
      return recordMissingHeartbeats(page);
    };
    const step = createMissingHeartbeats({ log, store, isEndedElsewhere });
    await expect(step(signal)).rejects.toThrow('unavailable');
    await step(signal);
    expect(pages).toHaveLength(3 + 20);
    expect(await log.silenceMs(ids[21_999]!)).toBeDefined();
    expect(await log.silenceMs(ids[22_000]!)).toBeUndefined();
  });
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
  const ended = async () => (await store.ended(ids)).length;
  await vi.advanceTimersByTimeAsync(5 * MINUTE_MS + 36_000);
  expect(await ended()).toBe(5_000);
  expect(maxRunning).toBeLessThanOrEqual(4);
  await vi.advanceTimersByTimeAsync(36_000);
  expect(await ended()).toBe(6_000);
});
