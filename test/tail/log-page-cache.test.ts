// Pages of a log are read once for viewers that drift apart, and are cached for a limited time and up to a limited size.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LogPage } from '../../src/log/log.ts';
import { LogPageCache } from '../../src/tail/log-page-cache.ts';
import { chunk, range } from '../support/app.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const HEAD = { epoch: 'e', head: 4_000, numbering: 'auto', attempt: 1, end: 0, hasPublisher: true } as const;

/** A log of 4,000 events by default, and the seqs that were read. */
function newPages(content = 'x', log = { head: 4_000, epoch: 'e' }) {
  const reads: number[] = [];
  const event = (seq: number) => ({ id: `${seq}-e`, seq, executionId: 'a', attempt: 1, ...chunk(content) });
  const read = async (after: number): Promise<LogPage> => {
    reads.push(after);
    const events = range(after + 1, Math.min(after + 10, log.head)).map(event);
    return {
      epoch: log.epoch,
      head: log.head,
      numbering: 'auto',
      attempt: 1,
      end: 0,
      hasPublisher: true,
      events,
    };
  };
  return { reads, read, pages: new LogPageCache('e', read, 10) };
}

describe('pages', () => {
  test('a slow viewer does not cause a page to be read again that another viewer has just read', async () => {
    const { pages, reads } = newPages();
    for (let after = 0; after < 1_000; after += 10) await pages.get(after);
    for (let after = 3; after < 1_000; after += 10) await pages.get(after);
    expect(reads.length).toBe(100);
  });

  test('a page that is not used for some seconds is evicted, one in use is not, and no timer remains', async () => {
    const { pages, reads } = newPages();
    await pages.get(0);
    await pages.get(10);
    expect(vi.getTimerCount()).toBe(1);
    for (let i = 0; i < 5; i += 1) {
      await vi.advanceTimersByTimeAsync(2_000);
      await pages.get(10);
    }
    expect(reads).toEqual([0, 10]);
    await pages.get(0);
    expect(reads).toEqual([0, 10, 0]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(vi.getTimerCount()).toBe(0);
    await pages.get(10);
    expect(reads).toEqual([0, 10, 0, 10]);
  });

  test('pages above 4 MiB are evicted, the least recently used first', async () => {
    // Half a MiB each.
    const { pages, reads } = newPages('x'.repeat(52_429));
    for (let after = 0; after < 100; after += 10) await pages.get(after);
    await pages.get(90);
    expect(reads.length).toBe(10);
    await pages.get(0);
    expect(reads.length).toBe(11);
  });

  test('`clear` releases all pages and the timer; a page is then read again', async () => {
    const { pages, reads } = newPages();
    await pages.get(0);
    pages.clear();
    expect(vi.getTimerCount()).toBe(0);
    await pages.get(0);
    expect(reads).toEqual([0, 0]);
    expect(vi.getTimerCount()).toBe(1);
  });

  test('pages of exactly 4 MiB are cached, and one byte more evicts the oldest', async () => {
    const sized = (extra: number) => {
      const reads: number[] = [];
      const read = async (after: number): Promise<LogPage> => {
        reads.push(after);
        const content = 'x'.repeat(1024 * 1024 + (after === 30 ? extra : 0));
        const event = {
          id: `${after + 1}-e`,
          seq: after + 1,
          executionId: 'a',
          attempt: 1,
          ...chunk(content),
        };
        return { ...HEAD, events: [event] };
      };
      return { reads, pages: new LogPageCache('e', read, 10) };
    };
    for (const [extra, expected] of [
      [0, [0, 10, 20, 30]],
      [1, [0, 10, 20, 30, 0]],
    ] as const) {
      const { pages, reads } = sized(extra);
      for (const after of [0, 10, 20, 30, 0]) await pages.get(after);
      expect(reads).toEqual(expected);
    }
  });

  test('a page is evicted 3 s after its last use, and not before', async () => {
    const { pages, reads } = newPages();
    await pages.get(0);
    await vi.advanceTimersByTimeAsync(2_999);
    await pages.get(0);
    await vi.advanceTimersByTimeAsync(2_999);
    await pages.get(0);
    expect(reads).toEqual([0]);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(vi.getTimerCount()).toBe(0);
    await pages.get(0);
    expect(reads).toEqual([0, 0]);
  });

  test('a page that was used recently is evicted after others', async () => {
    // Half a MiB each.
    const { pages, reads } = newPages('x'.repeat(52_429));
    for (let after = 0; after < 70; after += 10) await pages.get(after);
    await pages.get(0);
    for (let after = 70; after < 90; after += 10) await pages.get(after);
    await pages.get(0);
    expect(reads.length).toBe(9);
    await pages.get(10);
    expect(reads.length).toBe(10);
  });

  test('a page that is being read is not evicted, and is shared', async () => {
    const { read, reads } = newPages('x'.repeat(52_429));
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    const cache = new LogPageCache(
      'e',
      async (after) => {
        if (after === 0) await released;
        return read(after);
      },
      10,
    );
    const first = cache.get(0);
    for (let after = 10; after < 110; after += 10) await cache.get(after);
    await vi.advanceTimersByTimeAsync(10_000);
    const second = cache.get(0);
    release();
    expect(await first).toBeDefined();
    expect(await second).toBe(await first);
    expect(reads.filter((after) => after === 0)).toEqual([0]);
  });

  test('a page that was read again is not replaced by its earlier read', async () => {
    const log = { head: 14, epoch: 'e' };
    const { pages, reads } = newPages('x', log);
    const first = pages.get(10);
    const newer = pages.get(14);
    const older = pages.get(11);
    log.head = 16;
    expect((await first)?.flat().length).toBe(4);
    expect((await newer)?.flat().length).toBe(6);
    expect(await older).toBe(await first);
    expect(await pages.get(15)).toBe(await newer);
    expect(reads).toEqual([10, 10]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('the last page, which is not full yet, is shared, and read again for newer events', async () => {
    const log = { head: 14, epoch: 'e' };
    const { pages, reads } = newPages('x', log);
    expect(await pages.get(11)).toBe(await pages.get(12));
    expect(await pages.get(14)).toBeUndefined();
    expect(reads).toEqual([10, 10]);
    log.head = 16;
    const [one, other] = await Promise.all([pages.get(14), pages.get(15)]);
    expect(one?.flat().map(({ seq }) => seq)).toEqual(range(11, 16));
    expect(other).toBe(one);
    expect(await pages.get(11)).toBe(one);
    expect(reads).toEqual([10, 10, 10]);
  });

  test('a page of another incarnation is not returned', async () => {
    const log = { head: 4_000, epoch: 'e' };
    const { pages } = newPages('x', log);
    expect(await pages.get(0)).toBeDefined();
    log.epoch = 'f';
    expect(await pages.get(10)).toBeUndefined();
  });

  test('a page that could not be read is read again', async () => {
    let isUnavailable = true;
    const pages = new LogPageCache(
      'e',
      async () => {
        if (isUnavailable) throw new Error('unavailable');
        return undefined;
      },
      10,
    );
    await expect(pages.get(0)).rejects.toThrow('unavailable');
    isUnavailable = false;
    expect(await pages.get(0)).toBeUndefined();
  });
});
