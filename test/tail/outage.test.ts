// A log that cannot be read for a while: one warning, retries with backoff, and no missing events.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ExecutionEvent } from '../../src/event/events.ts';
import {
  endRow,
  keepTaking,
  range,
  seqs,
  settled,
  setUp,
  type TestLog,
  takeAll,
  unavailable,
} from './harness.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

function fail(log: TestLog, when: (after: number) => boolean = () => true): () => void {
  log.beforeRead = (after) => {
    if (when(after)) throw unavailable('the log is unavailable');
  };
  return () => {
    log.beforeRead = () => {};
  };
}

function warnings(events: readonly ExecutionEvent[]): string[] {
  return events.filter(({ type }) => type === 'warning').map(({ id }) => id);
}

function rest(events: readonly ExecutionEvent[]): number[] {
  return seqs(events.filter(({ type }) => type !== 'warning'));
}

describe('an outage of the log', () => {
  it('an outage gives each viewer one warning with its own cursor, and then the missed events', async () => {
    const { log, publisher, open, logger } = await setUp();
    await publisher.chunks(5);
    const first = keepTaking(await open());
    const second = await open({ after: { seq: 2, epoch: publisher.epoch } });
    second.take();
    log.onAnnouncement = () => {};
    const recover = fail(log);
    log.interrupt();
    await publisher.chunks(600);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(logger.error.mock.calls).toEqual([
      [
        { err: expect.objectContaining({ message: 'the log is unavailable' }), executionId: 'agent-1' },
        expect.stringMatching(/^logs cannot be read/),
      ],
    ]);
    expect(warnings(first)).toEqual([`5-${publisher.epoch}`]);
    expect(first.at(-1)).toMatchObject({
      seq: 5,
      data: { code: 'SOURCE_UNAVAILABLE', message: 'the log is unavailable' },
    });
    recover();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(logger.info.mock.calls).toEqual([[{}, 'logs can be read again']]);
    expect(rest(first)).toEqual(range(1, 605));
    const all = await takeAll(second);
    expect(all[0]).toMatchObject({ type: 'warning', id: `3-${publisher.epoch}`, seq: 3 });
    expect(rest(all)).toEqual(range(4, 605));
    expect(warnings(first)).toHaveLength(1);
    // The next outage is another one.
    const recoverAgain = fail(log);
    log.interrupt();
    await vi.advanceTimersByTimeAsync(20_000);
    recoverAgain();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(warnings(first)).toEqual([`5-${publisher.epoch}`, `605-${publisher.epoch}`]);
  });

  it('an outage is retried with growing pauses of up to 5 s', async () => {
    const { log, open } = await setUp();
    await open();
    const before = log.reads.length;
    fail(log);
    log.interrupt();
    await vi.advanceTimersByTimeAsync(60_000);
    const tries = log.reads.length - before;
    expect(tries).toBeGreaterThanOrEqual(12);
    expect(tries).toBeLessThanOrEqual(32);
  });

  it('an outage does not hold back events that are announced in the meantime', async () => {
    const { log, publisher, open } = await setUp();
    const taken = keepTaking(await open());
    const recover = fail(log);
    log.interrupt();
    await settled();
    await publisher.chunks(3);
    await settled();
    expect(rest(taken)).toEqual([1, 2, 3]);
    recover();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(rest(taken)).toEqual([1, 2, 3]);
  });

  it('an outage rejects viewers that are ahead of the tail, and open ones still catch up', async () => {
    const { log, publisher, open } = await setUp();
    const taken = keepTaking(await open());
    await publisher.chunks(2);
    await settled();
    log.onAnnouncement = () => {};
    await publisher.chunks(4);
    const recover = fail(log);
    log.interrupt();
    await settled();
    await expect(open({ after: { seq: 6, epoch: publisher.epoch } })).rejects.toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
    });
    recover();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(rest(taken)).toEqual(range(1, 6));
  });

  it('an outage during a replay delays it, and loses nothing', async () => {
    const { log, publisher, open } = await setUp();
    await publisher.chunks(3_000);
    const viewer = await open();
    const recover = fail(log, (after) => after >= 512);
    const taken = keepTaking(viewer);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(rest(taken)).toEqual(range(1, 512));
    expect(warnings(taken)).toEqual([`512-${publisher.epoch}`]);
    recover();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(rest(taken)).toEqual(range(1, 3_000));
  });

  it('an outage during the replay of an ended execution delays it, and loses nothing', async () => {
    const world = await setUp();
    const { log, publisher, open } = world;
    await publisher.chunks(2_000);
    await publisher.complete();
    await endRow(world, { seq: 2_001, epoch: publisher.epoch });
    const viewer = await open();
    const recover = fail(log);
    const taken = keepTaking(viewer);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(viewer.ended).toBe(false);
    recover();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(rest(taken)).toEqual(range(1, 2_001));
    expect(viewer.ended).toBe(true);
  });

  it('an outage of a part of the log is retried with pauses', async () => {
    const { log, publisher, open } = await setUp();
    await publisher.chunks(3_000);
    const viewer = await open({ after: { seq: 10, epoch: publisher.epoch } });
    const recover = fail(log, (after) => after < 512);
    const taken = keepTaking(viewer);
    const before = log.reads.length;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(log.reads.length - before).toBeLessThan(250);
    expect(rest(taken)).toEqual([]);
    recover();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(rest(taken)).toEqual(range(11, 3_000));
  });

  it('an outage gives no warning to viewers that filter warnings out, and is not retried after the last viewer has left', async () => {
    const { log, publisher, open } = await setUp();
    const viewer = await open({ events: new Set(['llm_chunk']) });
    const taken = keepTaking(viewer);
    await publisher.chunks(1);
    await settled();
    fail(log);
    log.interrupt();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seqs(taken)).toEqual([1]);
    viewer.close();
    await settled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('a warning does not void a cursor without an epoch', async () => {
    const { log, publisher, open } = await setUp();
    await publisher.chunks(9);
    const viewer = await open({ after: { seq: 4 } });
    fail(log);
    log.interrupt();
    await settled();
    expect(viewer.take()).toMatchObject({ type: 'warning', id: `4-${publisher.epoch}`, seq: 4 });
  });
});

describe('a read that hangs until its timeout', () => {
  it('a read that times out holds nothing back permanently', async () => {
    const { log, publisher, open } = await setUp();
    const taken = keepTaking(await open());
    log.onAnnouncement = () => {};
    await publisher.chunks(3);
    let give: (error: Error) => void = () => {};
    log.beforeRead = () => new Promise<void>((_, reject) => (give = reject));
    log.interrupt();
    await settled();
    log.onAnnouncement = (_, deliver) => deliver();
    await publisher.chunks(2);
    await settled();
    log.beforeRead = () => {};
    give(unavailable('no answer within 5000 ms'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(rest(taken)).toEqual(range(1, 5));
  });
});
