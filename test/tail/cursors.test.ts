// Cursors that are not a position in the log: `reset` is sent exactly when it is required.
import { describe, expect, it } from 'vitest';
import { ID, keepTaking, publish, range, seqs, settled, setUp, shown, TestLog, takeAll } from './harness.ts';

describe('a cursor', () => {
  it('a cursor of another epoch gets a reset, then all events', async () => {
    const { publisher, open } = await setUp();
    await publisher.chunks(3);
    const viewer = await open({ after: { seq: 2, epoch: 'anotherepoch' } });
    expect(viewer.position).toBe('2-anotherepoch');
    const [reset, ...rest] = await takeAll(viewer);
    expect(reset).toMatchObject({
      type: 'reset',
      id: `0-${publisher.epoch}`,
      seq: 0,
      executionId: 'agent-1',
      attempt: 1,
      data: { reason: 'log_lost' },
    });
    expect(Math.abs(Date.parse(reset!.ts) - Date.now())).toBeLessThan(5_000);
    expect(seqs(rest)).toEqual([1, 2, 3]);
  });

  it('a cursor of the epoch before gets the reason for which this one follows it', async () => {
    const { log, publisher, open } = await setUp();
    await publisher.chunks(3);
    const viewer = await open();
    await takeAll(viewer);
    const lost = { epoch: publisher.epoch, acknowledged: Number.POSITIVE_INFINITY, reason: 'run' } as const;
    await log.open(ID, { numbering: 'auto', publisher: 'p', attempt: 1, lost });
    await settled();
    const [reset] = await takeAll(viewer);
    expect(reset).toMatchObject({ type: 'reset', seq: 0, data: { reason: 'run' } });
    // A head that has fallen is a loss, whatever the epoch.
    const { epoch } = (await log.head(ID))!;
    const [lostEvents] = await takeAll(await open({ after: { seq: 9, epoch } }));
    expect(lostEvents).toMatchObject({ type: 'reset', data: { reason: 'log_lost' } });
  });

  it('cursor 0 of another epoch gets a reset', async () => {
    const { publisher, open } = await setUp();
    await publisher.chunks(2);
    const viewer = await open({ after: { seq: 0, epoch: 'anotherepoch' } });
    expect(seqs(await takeAll(viewer))).toEqual([0, 1, 2]);
  });

  it('cursor 0 of this epoch, or no cursor, gets all events and no reset', async () => {
    const { publisher, open } = await setUp();
    await publisher.chunks(2);
    for (const after of [{ seq: 0, epoch: publisher.epoch }, { seq: 0 }, undefined]) {
      expect(seqs(await takeAll(await open({ after })))).toEqual([1, 2]);
    }
  });

  it('a cursor without an epoch is a position in the current log', async () => {
    const { publisher, open } = await setUp();
    await publisher.chunks(5);
    const viewer = await open({ after: { seq: 3 } });
    expect(seqs(await takeAll(viewer))).toEqual([4, 5]);
    expect(viewer.position).toBe(`5-${publisher.epoch}`);
  });

  it('a cursor above the head gets a reset, with or without an epoch', async () => {
    const { publisher, open } = await setUp();
    await publisher.chunks(2);
    for (const after of [{ seq: 3, epoch: publisher.epoch }, { seq: 3 }]) {
      const viewer = await open({ after });
      expect(shown(await takeAll(viewer))[0]).toBe(`reset 0-${publisher.epoch}`);
    }
  });

  it('a cursor above the head gets its reset even if the log has grown past it before the first take', async () => {
    const { publisher, open } = await setUp();
    await publisher.chunks(2);
    const viewer = await open({ after: { seq: 3, epoch: publisher.epoch } });
    await publisher.chunks(5);
    await settled();
    expect(seqs(await takeAll(viewer))).toEqual(range(0, 7));
  });

  it('a cursor from another server, of an event not announced here yet, gets no false reset', async () => {
    const { log, publisher, open } = await setUp();
    await open();
    log.onAnnouncement = () => {};
    await publisher.chunks(9);
    await settled();
    const viewer = await open({ after: { seq: 7, epoch: publisher.epoch } });
    expect(seqs(await takeAll(viewer))).toEqual([8, 9]);
  });

  it('a cursor from another server, of an epoch not known here yet, gets no false reset', async () => {
    const { log, open } = await setUp();
    const before = await open();
    log.onAnnouncement = () => {};
    log.lose();
    const second = await publish(log, { lost: { epoch: 'x', acknowledged: 1 } });
    await second.chunks(3);
    const viewer = await open({ after: { seq: 2, epoch: second.epoch } });
    expect(seqs(await takeAll(viewer))).toEqual([3, 4]);
    expect(seqs(await takeAll(before))).toEqual(range(0, 4));
  });

  it('a cursor waits for a log that does not exist yet, and is then a position in it', async () => {
    const { log, open, publisher } = await setUp();
    await publisher.chunks(4);
    const { inner } = log;
    log.inner = new TestLog();
    const viewer = await open({ after: { seq: 2, epoch: publisher.epoch } });
    const taken = keepTaking(viewer);
    expect(viewer.position).toBe(`2-${publisher.epoch}`);
    log.inner = inner;
    log.interrupt();
    await settled();
    expect(seqs(taken)).toEqual([3, 4]);
  });

  it('a cursor without an epoch that waits for a log and is above its head gets a reset, however the log grows', async () => {
    const { log, open } = await setUp();
    log.lose();
    const viewer = await open({ after: { seq: 4 } });
    const second = await publish(log);
    for (let i = 0; i < 8; i += 1) {
      await second.chunks(1);
      await settled();
    }
    expect(seqs(await takeAll(viewer))).toEqual(range(0, 8));
  });
});
