// A log that is lost under its viewers: they get a reset, and then all of the new log.
import { describe, expect, it } from 'vitest';
import {
  chunk,
  endRow,
  ID,
  keepTaking,
  publish,
  range,
  seqs,
  settled,
  setUp,
  shown,
  takeAll,
  unavailable,
} from './harness.ts';

describe('a log that is lost while it is viewed', () => {
  it('a lost log that its publisher restarts is a reset, then the complete new log', async () => {
    const { log, publisher, open } = await setUp();
    const taken = keepTaking(await open());
    await publisher.chunks(3);
    await settled();
    log.lose();
    const second = await publish(log, { lost: { epoch: publisher.epoch, acknowledged: 3 } });
    await second.chunks(2);
    await second.complete();
    await settled();
    expect(shown(taken.slice(3))).toEqual([
      `reset 0-${second.epoch}`,
      `reset 1-${second.epoch}`,
      `llm_chunk 2-${second.epoch}`,
      `llm_chunk 3-${second.epoch}`,
      `complete 4-${second.epoch}`,
    ]);
  });

  it('a lost log that is empty for a while makes viewers wait, and then all take everything', async () => {
    const { log, publisher, open } = await setUp();
    const viewer = await open();
    const before = keepTaking(viewer);
    await publisher.chunks(3);
    await settled();
    log.lose();
    log.interrupt();
    await settled();
    const joined = await Promise.all([
      open(),
      open({ after: { seq: 2, epoch: publisher.epoch } }),
      open({ after: { seq: 0, epoch: publisher.epoch } }),
    ]);
    const after = joined.map(keepTaking);
    expect(before).toHaveLength(3);
    expect(viewer.position).toBe(`3-${publisher.epoch}`);
    expect(after.flat()).toEqual([]);
    const second = await publish(log, { lost: { epoch: publisher.epoch, acknowledged: 3 } });
    await second.chunks(2);
    await settled();
    expect(seqs(before.slice(3))).toEqual([0, 1, 2, 3]);
    expect(after.map(seqs)).toEqual([
      [1, 2, 3],
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ]);
  });

  it('an older snapshot of the log is a reset for viewers ahead of it, and nothing for the others', async () => {
    const { log, publisher, open } = await setUp();
    const ahead = await open();
    await publisher.chunks(400);
    await settled();
    const at = async (seq: number) => open({ after: { seq, epoch: publisher.epoch } });
    const viewers = [ahead, await at(299), await at(300), await at(301)];
    expect(await takeAll(ahead)).toHaveLength(400);
    log.rewind(300);
    log.interrupt();
    await settled();
    const taken = await Promise.all(viewers.map(takeAll));
    expect(taken.map(seqs)).toEqual([range(0, 300), [300], [], range(0, 300)]);
    expect(taken[0]![0]!.id).toBe(`0-${publisher.epoch}`);
  });

  it('an older snapshot that grows past an idle viewer is a reset nevertheless', async () => {
    const { log, publisher, open } = await setUp();
    await publisher.chunks(40);
    const idle = await open({ after: { seq: 35, epoch: publisher.epoch } });
    const slow = await open({ after: { seq: 10, epoch: publisher.epoch } });
    // Another log in the same epoch, 20 events long, that is then filled with others.
    log.lose();
    const second = await publish(log, { publisher: 'publisher-2' });
    const { epoch } = publisher;
    const renamed = <T extends { epoch: string; events: readonly { seq: number }[] }>(page: T): T => ({
      ...page,
      epoch,
      events: page.events.map((event) => ({ ...event, id: `${event.seq}-${epoch}` })),
    });
    log.view = (page) => page && renamed(page);
    log.onAnnouncement = (announcement, deliver) => deliver(renamed(announcement));
    await second.chunks(20);
    log.interrupt();
    await settled();
    for (let i = 0; i < 30; i += 1) await second.append(chunk('other'));
    await settled();
    expect(seqs(await takeAll(idle))).toEqual(range(0, 50));
    expect(seqs(await takeAll(slow))).toEqual(range(11, 50));
  });

  it('a log that is shorter than a page that a viewer holds does not deliver the lost events', async () => {
    const { log, publisher, open } = await setUp();
    await publisher.chunks(2_000);
    const viewer = await open();
    viewer.take();
    await settled();
    expect(viewer.take()?.seq).toBe(1);
    log.rewind(100);
    log.interrupt();
    await settled();
    expect(seqs(await takeAll(viewer))).toEqual(range(2, 100));
  });

  it('a log that becomes shorter without the tail knowing gives no false gap', async () => {
    const { log, publisher, open } = await setUp();
    await publisher.chunks(2_000);
    const viewer = await open();
    log.rewind(500);
    expect(seqs(await takeAll(viewer))).toEqual(range(1, 500));
    const late = await open({ after: { seq: 400, epoch: publisher.epoch } });
    expect(seqs(await takeAll(late))).toEqual(range(401, 500));
  });

  it('a log that is replaced while a page of the old one is being read is not mixed with it', async () => {
    const { log, publisher, open } = await setUp();
    await publisher.chunks(2_000);
    const viewer = await open();
    const epochs = new Set<string>();
    let lost = false;
    let second: Awaited<ReturnType<typeof publish>> | undefined;
    log.afterRead = async (after) => {
      if (lost || after !== 256) return;
      lost = true;
      log.lose();
      second = await publish(log, { lost: { epoch: publisher.epoch, acknowledged: 2_000 } });
      await second.chunks(2_500);
      await settled();
    };
    const taken = await takeAll(viewer);
    const reset = taken.findIndex(({ seq }) => seq === 0);
    expect(seqs(taken.slice(0, reset))).toEqual(range(1, reset));
    expect(seqs(taken.slice(reset))).toEqual(range(0, 2_501));
    for (const { id } of taken.slice(reset)) epochs.add(id.split('-')[1]!);
    expect([...epochs]).toEqual([second?.epoch]);
  });

  it('a lost log of an ended execution ends with the row', async () => {
    const world = await setUp();
    const { log, publisher, open } = world;
    await publisher.chunks(3);
    const taken = keepTaking(await open());
    await settled();
    await endRow(world, { seq: 9, epoch: publisher.epoch });
    log.lose();
    log.interrupt();
    await settled();
    expect(shown(taken.slice(3))).toEqual([`gap 8-${publisher.epoch}`, `complete 9-${publisher.epoch}`]);
    expect(taken[3]!.data).toEqual({ fromSeq: 4, toSeq: 8, text: 'R' });
  });

  it('a lost log of an ended execution ends with the row, even if the row could not be read at first', {
    timeout: 10_000,
  }, async () => {
    const world = await setUp();
    const { log, store, publisher, open } = world;
    await publisher.chunks(3);
    const viewer = await open();
    await takeAll(viewer);
    await endRow(world, { seq: 4, epoch: publisher.epoch });
    log.lose();
    store.isAway = true;
    log.interrupt();
    await settled();
    store.isAway = false;
    const types: string[] = [];
    for await (const event of viewer) types.push(event.type);
    expect(types).toEqual(['warning', 'complete']);
  });

  it('an ended log that expires under viewers far from its end is a gap and the terminal event for them', async () => {
    const { log, publisher, open } = await setUp();
    await publisher.chunks(3_000);
    await publisher.complete();
    const viewer = await open();
    for (let event = viewer.take(); !event; event = viewer.take()) await settled();
    log.lose();
    const taken = await takeAll(viewer);
    const { epoch } = publisher;
    expect(shown(taken.slice(-2))).toEqual([`gap 3000-${epoch}`, `complete 3001-${epoch}`]);
    const read = taken.length - 2;
    expect(seqs(taken.slice(0, -2))).toEqual(range(2, read + 1));
    expect(taken.at(-2)!.data).toEqual({ fromSeq: read + 2, toSeq: 3_000 });
    expect(viewer.ended).toBe(true);
  });

  it('a lost log is detected by a slow viewer, and not taken for a gap', async () => {
    const { log, publisher, open } = await setUp();
    await publisher.chunks(2_000);
    const viewer = await open();
    const taken = keepTaking(viewer);
    log.lose();
    await settled();
    const second = await publish(log, { lost: { epoch: publisher.epoch, acknowledged: 2_000 } });
    await second.chunks(5);
    await settled();
    expect(taken.filter(({ type }) => type === 'gap')).toEqual([]);
    const reset = taken.findIndex(({ id }) => id === `0-${second.epoch}`);
    expect(seqs(taken.slice(reset))).toEqual(range(0, 6));
  });

  it('a log that is lost and cannot be read at the same time does not stall its viewers', {
    timeout: 10_000,
  }, async () => {
    const { log, publisher, open } = await setUp();
    const viewer = await open();
    await publisher.chunks(3);
    expect(await takeAll(viewer)).toHaveLength(3);
    log.lose();
    log.beforeRead = () => {
      throw unavailable();
    };
    log.interrupt();
    await settled();
    const second = await publish(log, { lost: { epoch: publisher.epoch, acknowledged: 3 } });
    log.beforeRead = () => {};
    await second.complete();
    const types: string[] = [];
    for await (const event of viewer) types.push(event.type);
    expect(types).toEqual(['warning', 'reset', 'reset', 'complete']);
    expect((await log.head(ID))?.epoch).toBe(second.epoch);
  });
});
