// Stretches of a log are read once for viewers that drift apart, and not kept for long or in any number.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LogPage } from '../../src/log/log.ts';
import { LogPageCache } from '../../src/tail/log-page-cache.ts';
import { chunk, range } from '../support/app.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** A log of 4,000 events, or so many; answers what was read of it. */
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
  return { reads, pages: new LogPageCache('e', read, 10) };
}

describe('pages', () => {
  test('one that is far behind is not read for again what another has just read', async () => {
    const { pages, reads } = newPages();
    for (let after = 0; after < 1_000; after += 10) await pages.get(after);
    for (let after = 3; after < 1_000; after += 10) await pages.get(after);
    expect(reads.length).toBe(100);
  });

  test('what was not used for some seconds is let go of, what is in use is not, and no timer is left', async () => {
    const { pages, reads } = newPages();
    await pages.get(0);
    await pages.get(10);
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

  test('more than 4 MiB are not kept: the least recently used go', async () => {
    // Half a MiB each.
    const { pages, reads } = newPages('x'.repeat(52_429));
    for (let after = 0; after < 100; after += 10) await pages.get(after);
    await pages.get(90);
    expect(reads.length).toBe(10);
    await pages.get(0);
    expect(reads.length).toBe(11);
  });

  test('the last one, which is not full yet, is shared, and read again for what has come since', async () => {
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

  test('one of another incarnation is none', async () => {
    const log = { head: 4_000, epoch: 'e' };
    const { pages } = newPages('x', log);
    expect(await pages.get(0)).toBeDefined();
    log.epoch = 'f';
    expect(await pages.get(10)).toBeUndefined();
  });

  test('one that could not be read is read again', async () => {
    let isAway = true;
    const pages = new LogPageCache(
      'e',
      async () => {
        if (isAway) throw new Error('away');
        return undefined;
      },
      10,
    );
    await expect(pages.get(0)).rejects.toThrow('away');
    isAway = false;
    expect(await pages.get(0)).toBeUndefined();
  });
});
