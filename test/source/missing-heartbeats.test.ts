// Open executions that have no heartbeat although one is expected, in fake time, with the memory log.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import type { LivenessMonitorOptions } from '../../src/source/liveness-monitor.ts';
import { createMissingHeartbeats } from '../../src/source/missing-heartbeats.ts';
import { audience } from './audience.ts';
import { ID, MINUTE_MS, setUp } from './silent-publisher.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
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

  test('an execution without a heartbeat is detected again after the log is emptied a second time', async () => {
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
