// Publishers that fall silent, and what becomes of their executions: in false time, over the memory log.
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ExecstreamError } from '../../src/event/error.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createEndReconciler } from '../../src/relay/end.ts';
import { createLiveness, type LivenessOptions } from '../../src/relay/liveness.ts';
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

/** An open execution that is published, and a number of servers. */
async function setUp(options: Partial<LivenessOptions> = {}, servers = 1) {
  const log = createMemoryLog();
  const store = createMemoryStore();
  await store.begin({ id: ID, kind: 'agent', mode: 'TEXT', workflowId: 'wf-1' });
  await log.open(ID, { numbering: 'auto', publisher: 'p', attempt: 1 });
  await log.keepAlive(ID);
  const reconcileEnd = createEndReconciler({ log, store, content, graceMs: 0 });
  const all = Array.from({ length: servers }, () => createLiveness({ log, store, reconcileEnd, ...options }));
  const types = async () => (await log.read(ID, 0, 100))?.events.map(({ type }) => type);
  return { log, store, all, first: all[0]!, types };
}

describe('a viewer', () => {
  test('is warned once when the publisher has been silent for 30 s, and so is one who joins later', async () => {
    const { log, first } = await setUp();
    const viewers = audience();
    first.follow(ID, viewers);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(viewers.heard).toEqual([]);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(viewers.heard).toEqual(['PUBLISHER_SILENT']);
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(viewers.heard).toEqual(['PUBLISHER_SILENT']);
    expect(viewers.standing).toBe('PUBLISHER_SILENT');
    // In another process, where the first viewer comes now.
    const late = audience();
    first.follow(ID, late);
    await vi.advanceTimersByTimeAsync(0);
    expect(late.standing).toBe('PUBLISHER_SILENT');

    await log.keepAlive(ID);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(viewers.standing).toBeUndefined();
    await vi.advanceTimersByTimeAsync(36_000);
    expect(viewers.heard).toEqual(['PUBLISHER_SILENT', 'PUBLISHER_SILENT']);
  });

  test('is not warned while the publisher lives, nor where nobody ever kept anything alive', async () => {
    const { log, first } = await setUp();
    const [viewers, others] = [audience(), audience()];
    first.follow(ID, viewers);
    first.follow('published-by-hand', others);
    for (let i = 0; i < 60; i += 1) {
      await log.keepAlive(ID);
      await vi.advanceTimersByTimeAsync(10_000);
    }
    expect([...viewers.heard, ...others.heard]).toEqual([]);
  });

  test('is not warned any more once nobody follows', async () => {
    const { first } = await setUp();
    const viewers = audience();
    first.follow(ID, viewers)();
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(viewers.heard).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('an execution whose publisher is lost', () => {
  test('ends as FAILED once on all of three servers, though nobody watches it', async () => {
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
    expect(await log.silence(ID)).toBeUndefined();
  });

  test('tells a publisher that comes back after that: ENDED', async () => {
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

  test('ends after the time that was configured', async () => {
    const { store, first } = await setUp({ lostAfterMs: 20 * MINUTE_MS });
    first.startSweeping();
    await vi.advanceTimersByTimeAsync(20 * MINUTE_MS);
    expect((await store.get(ID))?.status).toBe('RUNNING');
    await vi.advanceTimersByTimeAsync(2 * MINUTE_MS);
    expect((await store.get(ID))?.status).toBe('FAILED');
  });

  test('is left alone where another source knows the truth', async () => {
    const { store, types, first } = await setUp({ isTruthElsewhere: (row) => row.workflowId !== undefined });
    first.startSweeping();
    await vi.advanceTimersByTimeAsync(10 * MINUTE_MS);
    expect((await store.get(ID))?.status).toBe('RUNNING');
    expect(await types()).toEqual([]);
  });

  test('is left alone where the log was away and its publisher is heard of again', async () => {
    // Sweeps exactly 30 s apart: of two within 36 s, the second would rightly end it.
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    onTestFinished(() => void vi.mocked(Math.random).mockRestore());
    const { log, store, first } = await setUp();
    first.startSweeping();
    const { silentLongerThan } = log;
    log.silentLongerThan = async () => {
      throw new ExecstreamError('SOURCE_UNAVAILABLE', 'away');
    };
    await vi.advanceTimersByTimeAsync(20 * MINUTE_MS);
    log.silentLongerThan = silentLongerThan;
    // Back, and the first sweep sees signs of life that are 20 minutes old.
    await vi.advanceTimersByTimeAsync(36_000);
    expect((await store.get(ID))?.status).toBe('RUNNING');
    await log.keepAlive(ID);
    await vi.advanceTimersByTimeAsync(2 * MINUTE_MS);
    expect((await store.get(ID))?.status).toBe('RUNNING');
  });

  test('ends as soon as the store answers again', async () => {
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

  test('is told its own words and end where its publisher died between row and log', async () => {
    const { store, first, types, log } = await setUp();
    first.startSweeping();
    await store.finish(ID, 1, { status: 'SUCCESS', result: 'whole' });
    await vi.advanceTimersByTimeAsync(7 * MINUTE_MS);
    expect(await types()).toEqual(['llm_chunk', 'complete']);
    expect(await log.silence(ID)).toBeUndefined();
  });

  test('leaves no timer behind where sweeping stops', async () => {
    const { first } = await setUp();
    first.startSweeping()();
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
