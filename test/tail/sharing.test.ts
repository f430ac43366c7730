// One subscription and one reader per execution and process, and a viewer that costs a cursor.
import { describe, expect, it } from 'vitest';
import { KEPT_WHILE_ALONE } from '../../src/tail/viewer-set.ts';
import { keepTaking, range, seqs, settled, setUp, takeAll, unavailable } from './harness.ts';

describe('200 viewers of one execution', () => {
  it('200 viewers share one subscription, one source and the reads of the log', async () => {
    const { log, publisher, open, tails, followed } = await setUp();
    await publisher.chunks(3_000);
    const viewers = await Promise.all(
      range(0, 199).map((i) => open({ after: { seq: i % 40, epoch: publisher.epoch } })),
    );
    const opening = log.reads.length;
    expect(opening).toBeLessThanOrEqual(2);
    const taken = viewers.map(keepTaking);
    await settled();
    await publisher.chunks(10, 1);
    await settled();
    for (const [i, events] of taken.entries()) expect(seqs(events)).toEqual(range((i % 40) + 1, 3_010));
    expect([log.listens, log.listeners.size, followed.ever, tails.size]).toEqual([1, 1, 1, 1]);
    // 3,000 events are twelve pages, which are not read for each viewer.
    expect(log.reads.length - opening).toBeLessThan(30);
    for (const viewer of viewers) viewer.close();
    await settled();
    expect([log.listeners.size, followed.now, tails.size]).toEqual([0, 0, 0]);
  });

  it('200 viewers that follow live events cause no read of the log', async () => {
    const { log, publisher, open } = await setUp();
    const taken = (await Promise.all(range(1, 200).map(() => open()))).map(keepTaking);
    const before = log.reads.length;
    await publisher.chunks(500, 5);
    await settled();
    for (const events of taken) expect(events).toHaveLength(500);
    expect(log.reads).toHaveLength(before);
  });
});

describe('a short log', () => {
  it('a short log is read once for its viewers', async () => {
    const { log, publisher, open } = await setUp();
    await publisher.chunks(200);
    expect(await takeAll(await open())).toHaveLength(200);
    expect(log.reads).toEqual([0]);
  });
});

describe('a lone viewer', () => {
  /** Has a lone viewer that keeps up take some events, and returns the log that later viewers find. */
  async function alone(count: number) {
    const test = await setUp();
    const taken = keepTaking(await test.open());
    await settled();
    for (let i = 0; i < count; i += 1) {
      await test.publisher.chunks(1);
      await settled();
    }
    expect(seqs(taken)).toEqual(range(1, count));
    return { ...test, reads: test.log.reads.length };
  }

  it('a lone viewer keeps its first events for viewers that join soon after it', async () => {
    const { log, open, reads } = await alone(KEPT_WHILE_ALONE);
    expect(await takeAll(await open())).toHaveLength(KEPT_WHILE_ALONE);
    expect(log.reads).toHaveLength(reads);
  });

  it('a lone viewer that stays alone keeps nothing: later viewers read the log, and share the ring from then on', async () => {
    const { log, open, reads, publisher } = await alone(KEPT_WHILE_ALONE + 20);
    const second = await open({ after: { seq: 3, epoch: publisher.epoch } });
    expect(seqs(await takeAll(second))).toEqual(range(4, KEPT_WHILE_ALONE + 20));
    expect(log.reads).toHaveLength(reads + 1);
    await publisher.chunks(5, 1);
    await settled();
    expect(await takeAll(second)).toHaveLength(5);
    const third = await open({ after: { seq: KEPT_WHILE_ALONE + 20, epoch: publisher.epoch } });
    expect(await takeAll(third)).toHaveLength(5);
    expect(log.reads).toHaveLength(reads + 1);
  });

  it('a lone viewer that is slow continues from the ring', async () => {
    const { log, open, publisher } = await setUp();
    const viewer = await open();
    const reads = log.reads.length;
    await publisher.chunks(100, 1);
    await settled();
    expect(await takeAll(viewer)).toHaveLength(100);
    expect(log.reads).toHaveLength(reads);
  });
});

describe('the last viewer', () => {
  it('the last viewer leaves nothing behind, however quickly viewers open and close', async () => {
    const { log, publisher, open, tails, followed } = await setUp();
    await publisher.chunks(20);
    for (let i = 0; i < 30; i += 1) {
      const viewer = await open();
      const opening = open();
      viewer.close();
      viewer.close();
      if (i % 3 === 0) await settled();
      const next = await opening;
      expect(await takeAll(next)).toHaveLength(20);
      next.close();
    }
    await settled();
    expect([log.listeners.size, followed.now, tails.size]).toEqual([0, 0, 0]);
  });

  it('the last viewer leaves nothing behind while its log is unavailable', async () => {
    const { log, open, tails } = await setUp();
    const viewer = await open();
    log.beforeRead = () => {
      throw unavailable();
    };
    log.interrupt();
    await settled();
    const reads = log.reads.length;
    viewer.close();
    await settled();
    expect([log.listeners.size, tails.size]).toEqual([0, 0]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(log.reads).toHaveLength(reads);
  });

  it('a subscription that cannot be ended does not crash the process', async () => {
    const { log, open, tails } = await setUp();
    const { listen } = log;
    log.listen = async (...args) => {
      await listen.apply(log, args);
      return () => Promise.reject(unavailable());
    };
    const viewer = await open();
    viewer.close();
    // An unhandled rejection would fail the run.
    await settled();
    expect(tails.size).toBe(0);
  });
});

describe('the start of a tail', () => {
  it('a start that fails leaves nothing behind, rejects all viewers that share it, and is tried again by the next one', async () => {
    const { log, open, tails, followed, publisher } = await setUp();
    await publisher.chunks(2);
    for (const part of ['beforeListen', 'beforeRead'] as const) {
      log[part] = () => {
        throw unavailable();
      };
      const opened = await Promise.allSettled([open(), open()]);
      for (const { status } of opened) expect(status).toBe('rejected');
      expect(opened[0]).toMatchObject({ reason: { code: 'SOURCE_UNAVAILABLE' } });
      await settled();
      expect([log.listeners.size, followed.now, tails.size]).toEqual([0, 0, 0]);
      log[part] = () => {};
    }
    expect(log.listens).toBe(2);
    expect(await takeAll(await open())).toHaveLength(2);
  });

  it('a start is shared by viewers that open in the meantime', async () => {
    const { log, open, publisher } = await setUp();
    await publisher.chunks(2);
    let acknowledge = () => {};
    log.beforeListen = () => new Promise<void>((resolve) => (acknowledge = resolve));
    const opening = [open(), open()];
    await settled();
    opening.push(open());
    await settled();
    acknowledge();
    const viewers = await Promise.all(opening);
    for (const viewer of viewers) expect(await takeAll(viewer)).toHaveLength(2);
    expect(log.listens).toBe(1);
  });

  it('a start that is in progress when everything closes leaves no subscription behind', async () => {
    const { log, open, tails } = await setUp();
    let acknowledge = () => {};
    log.beforeListen = () => new Promise<void>((resolve) => (acknowledge = resolve));
    const opening = open();
    await settled();
    const closing = tails.close();
    acknowledge();
    await closing;
    (await opening).close();
    await settled();
    expect([log.listeners.size, tails.size]).toEqual([0, 0]);
  });
});

describe('a viewer that takes nothing', () => {
  it('a viewer that takes nothing of 12,000 events reads nothing, and then takes them all while others follow live', async () => {
    const { log, publisher, open } = await setUp();
    const idle = await open();
    const live = keepTaking(await open());
    const reads = log.reads.length;
    for (let i = 0; i < 12; i += 1) {
      await publisher.chunks(1_000);
      await settled();
    }
    expect(live).toHaveLength(12_000);
    expect(log.reads).toHaveLength(reads);
    const { ring, head } = idle.tail;
    expect(head).toBe(12_000);
    expect(head - ring.first! + 1).toBe(1_024);
    const publishing = publisher.chunks(3_000, 10);
    const taken = keepTaking(idle);
    await publishing;
    await settled();
    expect(seqs(taken)).toEqual(range(1, 15_000));
    expect(live).toHaveLength(15_000);
  });

  it('an idle viewer gets one warning for all outages in the meantime', async () => {
    const { publisher, open } = await setUp();
    await publisher.chunks(1);
    const viewer = await open();
    for (let i = 0; i < 100; i += 1) viewer.warn('SOURCE_UNAVAILABLE', `outage ${i}`);
    expect((await takeAll(viewer)).map(({ type }) => type)).toEqual(['warning', 'llm_chunk']);
  });
});
