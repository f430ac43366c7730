// Events that were deleted from the log: one gap in their place, and the terminal event from the row.
import { describe, expect, it } from 'vitest';
import type { NewEvent } from '../../src/event/events.ts';
import { DEFAULT_BOUNDS } from '../../src/log/log.ts';
import {
  chunk,
  complete,
  endRow,
  keepTaking,
  patch,
  range,
  seqs,
  settled,
  setUp,
  shown,
  takeAll,
  unavailable,
  warning,
} from './harness.ts';

const bounds = { ...DEFAULT_BOUNDS, maxEvents: 100 };

describe('a trimmed log', () => {
  it('a trimmed log gives one gap over what was deleted, then the rest', async () => {
    const { publisher, open } = await setUp({ bounds });
    await publisher.chunks(1_000);
    const [gap, ...rest] = await takeAll(await open());
    expect(gap).toMatchObject({
      type: 'gap',
      id: `900-${publisher.epoch}`,
      seq: 900,
      attempt: 1,
      data: { fromSeq: 1, toSeq: 900 },
    });
    expect(Object.keys(gap!.data)).toEqual(['fromSeq', 'toSeq']);
    expect(seqs(rest)).toEqual(range(901, 1_000));
  });

  it('a trimmed log gives a gap after the cursor, and none to a cursor at its edge', async () => {
    const { publisher, open } = await setUp({ bounds });
    await publisher.chunks(1_000);
    const at = async (seq: number) => takeAll(await open({ after: { seq, epoch: publisher.epoch } }));
    expect((await at(850))[0]).toMatchObject({ data: { fromSeq: 851, toSeq: 900 } });
    expect((await at(899))[0]).toMatchObject({ seq: 900, data: { fromSeq: 900, toSeq: 900 } });
    expect(seqs(await at(900))).toEqual(range(901, 1_000));
    expect(seqs(await at(950))).toEqual(range(951, 1_000));
  });

  it('a trimmed log gives a gap after a reset', async () => {
    const { publisher, open } = await setUp({ bounds });
    await publisher.chunks(1_000);
    const viewer = await open({ after: { seq: 950, epoch: 'anotherepoch' } });
    expect(shown(await takeAll(viewer)).slice(0, 2)).toEqual([
      `reset 0-${publisher.epoch}`,
      `gap 900-${publisher.epoch}`,
    ]);
  });

  it('a trimmed log gives no gap to a viewer whose events are still in the ring', async () => {
    const { publisher, open } = await setUp({ bounds });
    const viewer = await open();
    await publisher.chunks(1_000);
    await settled();
    expect(seqs(await takeAll(viewer))).toEqual(range(1, 1_000));
  });

  it('a tail that fell behind a trimmed log emits one gap and no false reset', async () => {
    const { log, publisher, open } = await setUp({ bounds });
    const viewer = await open();
    await publisher.chunks(1_200);
    await settled();
    log.onAnnouncement = () => {};
    await publisher.chunks(1_800);
    await settled();
    const taken = await takeAll(viewer);
    expect(seqs(taken)).toEqual(range(2_900, 3_000));
    expect(taken[0]!.data).toEqual({ fromSeq: 1, toSeq: 2_900 });
  });

  it('a log that is trimmed repeatedly under a slow viewer gives gaps, between which every event is in order', async () => {
    const { publisher, open } = await setUp({ bounds: { ...bounds, maxEvents: 600 } });
    await publisher.chunks(600);
    const viewer = await open();
    const taken = [];
    for (let i = 0; i < 40; i += 1) {
      await publisher.chunks(200, 10);
      await settled();
      for (let j = 0; j < 130; j += 1) {
        const event = viewer.take();
        if (!event) await settled();
        else taken.push(event);
      }
    }
    taken.push(...(await takeAll(viewer)));
    let last = 0;
    for (const event of taken) {
      expect(event.type === 'gap' ? event.data.fromSeq : event.seq).toBe(last + 1);
      last = event.seq;
    }
    expect(last).toBe(8_600);
  });
});

describe('patches', () => {
  const structured = { execution: { mode: 'STRUCTURED' as const } };
  const thenTaken = async (...events: NewEvent[]) => {
    const { publisher, open } = await setUp({ bounds, ...structured });
    await publisher.chunks(1_000);
    await publisher.append(...events);
    return (await takeAll(await open({ after: { seq: 1, epoch: publisher.epoch } })))
      .filter(({ type }) => type !== 'llm_chunk')
      .map((event) => (event.type === 'structured_delta' ? event.data.patch[0]!.path : event.type));
  };

  it('patches are withheld after a gap until one sets the complete value', async () => {
    expect(await thenTaken(patch('/a'), warning(), patch('/b'), patch(''), patch('/c'))).toEqual([
      'gap',
      'warning',
      '',
      '/c',
    ]);
  });

  it('patches are withheld after a gap until a reset', async () => {
    const reset: NewEvent = { type: 'reset', data: { reason: 'overflow' }, ts: new Date().toISOString() };
    expect(await thenTaken(patch('/a'), reset, patch('/c'))).toEqual(['gap', 'reset', '/c']);
  });

  it('the position advances past patches that are withheld', async () => {
    const { publisher, open } = await setUp({ bounds, ...structured });
    await publisher.chunks(1_000);
    await publisher.append(patch('/a'), patch('/b'));
    const viewer = await open();
    await takeAll(viewer);
    expect(viewer.position).toBe(`1002-${publisher.epoch}`);
  });
});

describe('an execution that has ended, whose log is gone', () => {
  const expired = async (mode: 'TEXT' | 'STRUCTURED', result: string | number) => {
    const world = await setUp({ execution: { mode } });
    const end = { seq: 42, epoch: 'endedepoch01' };
    await endRow(world, end, result);
    world.log.lose();
    return world;
  };

  it('an ended execution without a log is a gap with the text, then the terminal event at its own seq', async () => {
    const { open } = await expired('TEXT', 'the text');
    const viewer = await open();
    const [gap, end, ...more] = await takeAll(viewer);
    expect(gap).toMatchObject({
      type: 'gap',
      id: '41-endedepoch01',
      seq: 41,
      data: { fromSeq: 1, toSeq: 41, text: 'the text' },
    });
    expect(end).toMatchObject({
      type: 'complete',
      id: '42-endedepoch01',
      seq: 42,
      executionId: 'agent-1',
      attempt: 1,
      data: { status: 'SUCCESS', result: 'the text' },
    });
    expect(more).toEqual([]);
    expect(viewer.ended).toBe(true);
  });

  it('an ended execution without a log is a gap with the value', async () => {
    const { open } = await expired('STRUCTURED', 7);
    const [gap] = await takeAll(await open());
    expect(gap!.data).toEqual({ fromSeq: 1, toSeq: 41, value: 7 });
  });

  it('an ended execution without a log has ended immediately for a cursor at its end', async () => {
    const { open } = await expired('TEXT', 'R');
    const viewer = await open({ after: { seq: 42, epoch: 'endedepoch01' } });
    expect(viewer.ended).toBe(true);
    expect(viewer.take()).toBeUndefined();
    expect(viewer.position).toBe('42-endedepoch01');
  });

  it('an ended execution without a log is a gap after a cursor in its middle, and none right before its end', async () => {
    const { open } = await expired('TEXT', 'R');
    const middle = await takeAll(await open({ after: { seq: 20, epoch: 'endedepoch01' } }));
    expect(middle[0]!.data).toEqual({ fromSeq: 21, toSeq: 41, text: 'R' });
    expect(seqs(middle)).toEqual([41, 42]);
    expect(seqs(await takeAll(await open({ after: { seq: 41, epoch: 'endedepoch01' } })))).toEqual([42]);
  });

  it('an ended execution without a log is a reset for a cursor of another epoch', async () => {
    const { open } = await expired('TEXT', 'R');
    const viewer = await open({ after: { seq: 20, epoch: 'anotherepoch' } });
    expect(seqs(await takeAll(viewer))).toEqual([0, 41, 42]);
  });

  it('an ended execution of a single event is that event and no gap', async () => {
    const world = await setUp();
    await endRow(world, { seq: 1, epoch: 'endedepoch01' });
    world.log.lose();
    expect(shown(await takeAll(await world.open()))).toEqual(['complete 1-endedepoch01']);
  });
});

describe('an execution that has ended, whose log has lost its end', () => {
  it('an ended log that has lost its end is the log as far as it goes, then a gap and the terminal event', async () => {
    const world = await setUp();
    const { log, publisher, open } = world;
    await publisher.chunks(1_000);
    log.rewind(700);
    await endRow(world, { seq: 1_001, epoch: publisher.epoch });
    const at = async (seq: number) => takeAll(await open({ after: { seq, epoch: publisher.epoch } }));
    const whole = await at(0);
    expect(seqs(whole)).toEqual([...range(1, 700), 1_000, 1_001]);
    expect(whole.at(-2)!.data).toEqual({ fromSeq: 701, toSeq: 1_000, text: 'R' });
    expect(seqs(await at(600))).toEqual([...range(601, 700), 1_000, 1_001]);
    expect(seqs(await at(800))).toEqual([1_000, 1_001]);
  });

  it('an ended log is not taken for another one while it is being read', async () => {
    const world = await setUp();
    const { log, publisher, open } = world;
    await publisher.chunks(10);
    const taken = keepTaking(await open());
    await settled();
    await endRow(world, { seq: 12, epoch: publisher.epoch });
    let release = () => {};
    log.afterRead = () => new Promise<void>((resolve) => (release = resolve));
    const opening = open();
    await settled();
    log.interrupt();
    const first = release;
    log.afterRead = () => {};
    first();
    const late = await opening;
    await settled();
    expect(seqs(taken)).toEqual([...range(1, 10), 11, 12]);
    expect(seqs(await takeAll(late))).toEqual([...range(1, 10), 11, 12]);
  });
});

describe('a row that has ended without a recorded terminal event', () => {
  it('a row without a recorded terminal event is reconciled when it is viewed', async () => {
    const world = await setUp();
    const { publisher, open, reconciled, reconcile } = world;
    await publisher.chunks(2);
    await endRow(world);
    reconcile.end = async () => void (await publisher.append(complete('R')));
    const viewer = await open();
    expect(reconciled.map(({ id, status }) => [id, status])).toEqual([['agent-1', 'SUCCESS']]);
    expect(seqs(await takeAll(viewer))).toEqual([1, 2, 3]);
    expect(viewer.ended).toBe(true);
  });

  it('a row that cannot be reconciled rejects the viewer and leaves nothing behind', async () => {
    const world = await setUp();
    const { log, open, tails, reconcile, followed } = world;
    await endRow(world);
    reconcile.end = async () => {
      throw unavailable();
    };
    await expect(open()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    await settled();
    expect([tails.size, log.listeners.size, followed.now]).toEqual([0, 0, 0]);
  });
});

describe('a cursor at the end of an ended log', () => {
  it('a cursor at the end of an ended log has ended immediately, and one before it has not', async () => {
    const world = await setUp();
    const { publisher, open } = world;
    await publisher.append(chunk(), complete('R'));
    await endRow(world, { seq: 2, epoch: publisher.epoch });
    const at = await open({ after: { seq: 2, epoch: publisher.epoch } });
    expect(at.ended).toBe(true);
    const before = await open({ after: { seq: 1, epoch: publisher.epoch } });
    expect(before.ended).toBe(false);
    expect(before.take()).toMatchObject({ type: 'complete' });
    expect([before.ended, before.take()]).toEqual([true, undefined]);
  });
});
