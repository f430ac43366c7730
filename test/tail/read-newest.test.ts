// Which part of a log a tail reads.
import { describe, expect, test, vi } from 'vitest';
import { LogWindow } from '../../src/tail/log-window.ts';
import { PAGE_SIZE, readNewest } from '../../src/tail/read-newest.ts';
import { ID, publish, range, seqs, TestLog } from './harness.ts';

/** A log of this many chunks, and a window that holds all of them. */
async function setUp(head: number) {
  const log = new TestLog();
  const publisher = await publish(log);
  await publisher.chunks(head);
  const window = new LogWindow(ID);
  window.startEpoch(await log.inner.read(ID, 0, head));
  return { log, publisher, window };
}

describe('a read of the newest events', () => {
  test('a read of the newest events returns the page after the head', async () => {
    const { log, publisher, window } = await setUp(3);
    await publisher.chunks(PAGE_SIZE + 10);
    const page = await readNewest(log, window);
    expect([seqs(page!.events), page!.head]).toEqual([range(4, 3 + PAGE_SIZE), 13 + PAGE_SIZE]);
    expect(log.reads).toEqual([3]);
  });

  test('a read of the newest events returns the terminal event of a log that has ended far away', async () => {
    const { log, publisher, window } = await setUp(3);
    await publisher.chunks(PAGE_SIZE);
    await publisher.complete();
    expect(seqs((await readNewest(log, window))!.events)).toEqual([PAGE_SIZE + 4]);
  });

  test('a read of the newest events is a single one if its page holds the terminal event, or the window does', async () => {
    const { log, publisher, window } = await setUp(3);
    await publisher.complete();
    const page = await readNewest(log, window);
    expect([seqs(page!.events), log.reads]).toEqual([[4], [3]]);
    window.advance(page!);
    expect((await readNewest(log, window))!.events).toEqual([]);
    expect(log.reads).toEqual([3, 4]);
  });

  test('a read of the newest events restarts a log that has lost its end before it returns any of it', async () => {
    const { log, publisher, window } = await setUp(5);
    log.rewind(3);
    const open = vi.spyOn(log, 'open').mockImplementation(async (...args) => {
      log.lose();
      log.view = (page) => page;
      return log.inner.open(...args);
    });
    const page = await readNewest(log, window);
    const lost = { epoch: publisher.epoch, acknowledged: 5 };
    expect(open.mock.calls).toEqual([[ID, { numbering: 'auto', attempt: 1, lost }]]);
    expect(page!.epoch).toBe((await log.head(ID))!.epoch);
    expect([page!.epoch === publisher.epoch, log.reads]).toEqual([false, [5, 0]]);
    expect(page!.events.map(({ type }) => type)).toEqual(['reset']);
  });

  test.each([
    ['of another epoch', { epoch: 'other', head: 3 }],
    ['with numbers from its source', { numbering: 'fixed' as const, head: 3 }],
    ['of the same head', {}],
  ])('a read of the newest events does not restart a log %s', async (_, fields) => {
    const { log, window } = await setUp(5);
    log.view = (page) => page && { ...page, ...fields };
    const open = vi.spyOn(log, 'open');
    await readNewest(log, window);
    expect(open).not.toHaveBeenCalled();
  });

  test('a read of the newest events does not restart a log whose execution has ended', async () => {
    const { log, publisher, window } = await setUp(5);
    await publisher.complete();
    window.advance((await log.inner.read(ID, 5, 10))!);
    log.rewind(3);
    const open = vi.spyOn(log, 'open');
    await readNewest(log, window);
    expect(open).not.toHaveBeenCalled();
  });
});
