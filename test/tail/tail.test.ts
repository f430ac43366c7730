// A tail between its log and its viewers: when it reads, what it does with announcements, and when it stops.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Execution } from '../../src/execution/store.ts';
import { LogOutages } from '../../src/tail/log-outages.ts';
import { Tail } from '../../src/tail/tail.ts';
import { SILENT as logger } from '../support/silent.ts';
import { ID, keepTaking, publish, range, seqs, settled, setUp, TestLog, unavailable } from './harness.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** A started tail of a log with some chunks, and a viewer that records how it is notified. */
async function startTail(head = 3) {
  const log = new TestLog();
  const publisher = await publish(log);
  await publisher.chunks(head);
  const loadRow = vi.fn(async () => undefined);
  const tail = new Tail(ID, { log, loadRow, outages: new LogOutages(logger) });
  await tail.start();
  const viewer = { wake: vi.fn(), warn: vi.fn() };
  tail.join(viewer);
  const reads = log.reads.length;
  return { log, publisher, tail, viewer, loadRow, reads: () => log.reads.length - reads };
}

/** A row whose terminal event has seq 9. */
function endedRow(epoch: string): Execution {
  const row = { id: ID, kind: 'agent', mode: 'TEXT', attempt: 1, status: 'SUCCESS', result: 'R' };
  return { ...row, startedAt: new Date(0), finishedAt: new Date(1), end: { seq: 9, epoch } } as Execution;
}

/** Holds back the next reads of a log; the function that is returned lets the oldest one go on. */
function holdReads(log: TestLog, part: 'beforeRead' | 'afterRead' = 'afterRead'): () => Promise<void> {
  const waiting: (() => void)[] = [];
  log[part] = () => new Promise<void>((resolve) => void waiting.push(resolve));
  return async () => {
    waiting.shift()?.();
    await settled();
  };
}

describe('an announcement', () => {
  test('an announcement that overlaps what was read is delivered once', async () => {
    const { log, publisher, open } = await setUp();
    // A page that ends inside the batch, as a read of a limited size does.
    await publisher.chunks(6, 6);
    const { events } = (await log.inner.read(ID, 0, 10))!;
    log.view = (page) => page && { ...page, head: 4, events: page.events.filter(({ seq }) => seq <= 4) };
    const taken = keepTaking(await open());
    expect(seqs(taken)).toEqual(range(1, 4));
    log.view = (page) => page;
    for (const listener of log.listeners) listener.onAnnouncement({ epoch: publisher.epoch, events });
    await settled();
    expect(seqs(taken)).toEqual(range(1, 6));
  });

  test('an announcement that continues the head is used without a read, and wakes the viewers once', async () => {
    const { publisher, tail, viewer, reads } = await startTail();
    await publisher.chunks(2);
    expect([tail.head, reads(), viewer.wake.mock.calls.length]).toEqual([5, 0, 1]);
  });

  test('an announcement that repeats what is known wakes nobody', async () => {
    const { tail, viewer, reads } = await startTail();
    const events = [1, 2, 3].map((seq) => tail.ring.at(seq)!);
    tail.onAnnouncement({ epoch: tail.epoch, events });
    tail.onAnnouncement({ epoch: tail.epoch, events: [] });
    expect([tail.head, reads(), viewer.wake.mock.calls.length]).toEqual([3, 0, 0]);
  });

  test('an announcement that leaves a hole, or is of another epoch, leads to a read and is not used', async () => {
    const { log, publisher, tail, viewer, reads } = await startTail();
    log.onAnnouncement = () => {};
    await publisher.chunks(1);
    const event = { ...tail.ring.at(3)!, seq: 5 };
    tail.onAnnouncement({ epoch: tail.epoch, events: [event] });
    await settled();
    expect([tail.head, reads()]).toEqual([4, 1]);
    tail.onAnnouncement({ epoch: 'anotherepoch', events: [event] });
    await settled();
    expect([tail.head, reads(), viewer.wake.mock.calls.length]).toEqual([4, 2, 2]);
  });

  test('an announcement during a read is not used, and leads to one more read, however many there are', async () => {
    const { log, publisher, tail, reads } = await startTail();
    const release = holdReads(log);
    log.interrupt();
    await settled();
    for (let i = 0; i < 3; i += 1) await publisher.chunks(1);
    expect([tail.head, reads()]).toEqual([3, 1]);
    await release();
    expect([tail.head, reads()]).toEqual([3, 2]);
    await release();
    expect([tail.head, reads()]).toEqual([6, 2]);
  });
});

describe('a refresh', () => {
  test('a refresh during a read waits for the next one, which those who wait share', async () => {
    const { log, publisher, tail, reads } = await startTail();
    const release = holdReads(log);
    log.interrupt();
    await settled();
    log.onAnnouncement = () => {};
    await publisher.chunks(2);
    const heads: number[] = [];
    const refreshes = [1, 2].map(() => tail.refresh().then(() => void heads.push(tail.head)));
    await release();
    expect([heads, reads()]).toEqual([[], 2]);
    await release();
    await Promise.all(refreshes);
    expect([heads, reads()]).toEqual([[5, 5], 2]);
  });

  test('a refresh during a read that fails reads again', async () => {
    const { log, publisher, tail } = await startTail();
    log.beforeRead = async () => {
      await settled();
      log.beforeRead = () => {};
      throw unavailable();
    };
    log.interrupt();
    log.onAnnouncement = () => {};
    await publisher.chunks(2);
    await tail.refresh();
    expect(tail.head).toBe(5);
  });

  test('a refresh that fails rejects, warns nobody and is not retried', async () => {
    const { log, tail, viewer, reads } = await startTail();
    log.beforeRead = () => {
      throw unavailable();
    };
    await expect(tail.refresh()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect([reads(), viewer.warn.mock.calls, vi.getTimerCount()]).toEqual([1, [], 0]);
  });

  test('a refresh that succeeds during an outage ends it', async () => {
    const { log, publisher, tail, viewer, reads } = await startTail();
    log.beforeRead = () => {
      throw unavailable();
    };
    log.onAnnouncement = () => {};
    await publisher.chunks(2);
    log.interrupt();
    await settled();
    expect(viewer.warn.mock.calls).toEqual([['SOURCE_UNAVAILABLE', 'the log is unavailable']]);
    log.beforeRead = () => {};
    await tail.refresh();
    expect([tail.head, vi.getTimerCount()]).toEqual([5, 0]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(reads()).toBe(2);
  });
});

describe('an outage', () => {
  test('an outage warns once, and is retried until the log can be read', async () => {
    const { log, tail, viewer, reads } = await startTail();
    log.beforeRead = () => {
      throw unavailable();
    };
    tail.missed();
    await vi.advanceTimersByTimeAsync(60_000);
    const tries = reads();
    expect(tries).toBeGreaterThan(10);
    expect(viewer.warn).toHaveBeenCalledTimes(1);
    log.beforeRead = () => {};
    await vi.advanceTimersByTimeAsync(60_000);
    expect([reads(), vi.getTimerCount()]).toEqual([tries + 1, 0]);
  });

  test('an outage of a page warns, and wakes the viewers after a pause and a read', async () => {
    const { tail, viewer, reads } = await startTail();
    tail.pageFailed(unavailable('no page'));
    expect(viewer.warn.mock.calls).toEqual([['SOURCE_UNAVAILABLE', 'no page']]);
    await settled();
    expect([reads(), viewer.wake.mock.calls.length]).toEqual([0, 0]);
    await vi.advanceTimersByTimeAsync(400);
    expect([reads(), viewer.wake.mock.calls.length]).toEqual([1, 1]);
  });
});

describe('a lone viewer that has taken everything', () => {
  test('a lone viewer that has taken everything leaves nothing in the ring while the execution is open, but keeps its terminal event', async () => {
    const { publisher, tail } = await startTail();
    await publisher.chunks(20, 1);
    tail.taken(tail.head - 1);
    expect(tail.ring.first).toBe(1);
    tail.taken(tail.head);
    expect(tail.ring.first).toBeUndefined();
    await publisher.complete();
    tail.taken(tail.head);
    expect(tail.ring.at(tail.end)?.type).toBe('complete');
  });

  test('a lone viewer that has taken everything leaves nothing in the ring, even if its events were read', async () => {
    const { log, publisher, tail } = await startTail();
    log.onAnnouncement = () => {};
    await publisher.chunks(20);
    await tail.refresh();
    expect(tail.ring.first).toBe(1);
    tail.taken(tail.head);
    expect(tail.ring.first).toBeUndefined();
  });
});

describe('a warning for all viewers', () => {
  test('a warning is sent to the viewers, and kept for later ones until it is withdrawn', async () => {
    const { tail, viewer } = await startTail();
    tail.setActiveWarning({ code: 'X', message: 'm' });
    expect([viewer.warn.mock.calls, tail.activeWarning?.code]).toEqual([[['X', 'm']], 'X']);
    tail.setActiveWarning(undefined);
    expect([viewer.warn.mock.calls.length, tail.activeWarning]).toEqual([1, undefined]);
  });
});

describe('a page', () => {
  /** The ids of the first and last events of a page. */
  const boundsOf = async (page: ReturnType<Tail['page']>) => {
    const events = (await page)?.flat();
    return events && [events[0]!.id, events.at(-1)!.id];
  };

  test('a page of an earlier epoch is not returned, although it was requested in that epoch', async () => {
    const { log, publisher, tail } = await startTail(600);
    const release = holdReads(log);
    const page = tail.page(0);
    await settled();
    log.afterRead = () => {};
    log.lose();
    const second = await publish(log, { lost: { epoch: publisher.epoch, acknowledged: 600 } });
    await second.chunks(300);
    await tail.refresh();
    await release();
    expect(await boundsOf(page)).toEqual([`1-${second.epoch}`, `256-${second.epoch}`]);
  });

  test('a page of a log that has become shorter is read again', async () => {
    const { log, publisher, tail } = await startTail(600);
    const at = (seq: number) => `${seq}-${publisher.epoch}`;
    expect(await boundsOf(tail.page(256))).toEqual([at(257), at(512)]);
    log.view = (read) =>
      read && { ...read, numbering: 'fixed', head: 300, events: read.events.filter(({ seq }) => seq <= 300) };
    await tail.refresh();
    expect([tail.head, await boundsOf(tail.page(256))]).toEqual([300, [at(257), at(300)]]);
  });

  test('a page is not returned after the row has ended the tail in another epoch', async () => {
    const { tail, viewer } = await startTail();
    expect(await tail.page(0)).toBeDefined();
    tail.archive(endedRow('z'));
    expect([await tail.page(0), viewer.wake.mock.calls.length]).toEqual([undefined, 1]);
    tail.archive(endedRow('y'));
    expect([tail.epoch, viewer.wake.mock.calls.length]).toEqual(['z', 1]);
  });
});

describe('a tail that ends or closes', () => {
  test('a tail reads no row of a log that goes on, that was never there, or that has ended', async () => {
    const { log, publisher, tail, loadRow } = await startTail();
    await tail.refresh();
    await publisher.complete();
    await tail.refresh();
    log.lose();
    await tail.refresh();
    const unknown = new Tail(ID, { log, loadRow, outages: new LogOutages(logger) });
    await unknown.start();
    expect([tail.end, unknown.epoch, loadRow.mock.calls.length]).toEqual([4, '', 0]);
  });

  test('a tail keeps its terminal event when the log is gone', async () => {
    const { log, publisher, tail } = await startTail();
    await publisher.complete();
    log.lose();
    await tail.refresh();
    expect([tail.end, tail.epoch, tail.ring.at(4)?.type]).toEqual([4, publisher.epoch, 'complete']);
  });

  test('a tail changes nothing after it was closed, although a read was in progress', async () => {
    const { log, publisher, tail, viewer } = await startTail();
    const release = holdReads(log, 'beforeRead');
    log.interrupt();
    await publisher.chunks(2);
    await tail.close();
    await release();
    expect([tail.head, viewer.wake.mock.calls.length, log.listeners.size]).toEqual([3, 0, 0]);
  });

  test('a tail ends its retries when it is closed', async () => {
    const { log, tail, reads } = await startTail();
    log.beforeRead = () => {
      throw unavailable();
    };
    tail.missed();
    await settled();
    expect(vi.getTimerCount()).toBe(1);
    await tail.close();
    expect(vi.getTimerCount()).toBe(0);
    tail.missed();
    tail.pageFailed(unavailable());
    await tail.refresh();
    expect(reads()).toBe(1);
  });
});
