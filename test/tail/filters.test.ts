// Filters, and the position that advances past the events that they exclude.
import { describe, expect, it } from 'vitest';
import type { EventType } from '../../src/event/events.ts';
import { DEFAULT_BOUNDS } from '../../src/log/log.ts';
import { chunk, complete, range, seqs, settled, setUp, shown, takeAll, warning } from './harness.ts';

const only = (...types: EventType[]) => new Set(types);

describe('a filtered viewer', () => {
  it('a filtered viewer takes only its types, from history and live', async () => {
    const { publisher, open } = await setUp();
    await publisher.append(chunk(), warning(), chunk());
    const viewer = await open({ events: only('warning') });
    expect(seqs(await takeAll(viewer))).toEqual([2]);
    await publisher.append(chunk(), warning());
    expect(seqs(await takeAll(viewer))).toEqual([5]);
  });

  it('a filtered viewer takes resets and gaps', async () => {
    const bounds = { ...DEFAULT_BOUNDS, maxEvents: 10 };
    const { publisher, open } = await setUp({ bounds });
    await publisher.chunks(30);
    await publisher.append({ type: 'reset', data: { reason: 'overflow' }, ts: new Date().toISOString() });
    const viewer = await open({ events: only('warning'), after: { seq: 3, epoch: 'anotherepoch' } });
    expect(shown(await takeAll(viewer))).toEqual([
      `reset 0-${publisher.epoch}`,
      `gap 21-${publisher.epoch}`,
      `reset 31-${publisher.epoch}`,
    ]);
  });

  it('a filtered viewer has ended after the filtered terminal event', async () => {
    const { publisher, open } = await setUp();
    await publisher.append(chunk(), warning(), chunk(), complete());
    const viewer = await open({ events: only('warning') });
    expect(seqs(await takeAll(viewer))).toEqual([2]);
    expect([viewer.ended, viewer.position]).toEqual([true, `4-${publisher.epoch}`]);
  });

  it('a filtered viewer has ended before the first take if no event after its cursor passes', async () => {
    const { publisher, open } = await setUp();
    await publisher.chunks(2_000);
    await publisher.append(warning(), chunk(), complete());
    const events = only('warning');
    const nothing = await open({ events, after: { seq: 2_001, epoch: publisher.epoch } });
    expect(nothing.ended).toBe(true);
    const bare = await open({ events, after: { seq: 2_001 } });
    expect(bare.ended).toBe(true);
    const something = await open({ events, after: { seq: 1, epoch: publisher.epoch } });
    expect(something.ended).toBe(false);
    expect(something.take()?.seq).toBe(2_001);
  });
});

describe('the position', () => {
  it('the position advances past filtered events when a viewer takes', async () => {
    const { publisher, open } = await setUp();
    const viewer = await open({ events: only('warning') });
    await publisher.append(warning(), chunk(), chunk());
    await settled();
    expect(viewer.take()?.seq).toBe(1);
    expect(viewer.position).toBe(`1-${publisher.epoch}`);
    expect(viewer.take()).toBeUndefined();
    expect(viewer.position).toBe(`3-${publisher.epoch}`);
  });

  it('the position advances past filtered events while a viewer waits', async () => {
    const { publisher, open } = await setUp();
    const viewer = await open({ events: only('warning') });
    void viewer.ready();
    await publisher.append(chunk(), chunk());
    await settled();
    expect(viewer.position).toBe(`2-${publisher.epoch}`);
  });

  it('the position is not ahead of an event that is ready and was not taken', async () => {
    const { publisher, open } = await setUp();
    const viewer = await open({ events: only('warning') });
    await publisher.append(chunk(), warning(), chunk());
    await settled();
    await viewer.ready();
    expect(viewer.position).toBe(`0-${publisher.epoch}`);
    expect(viewer.take()?.seq).toBe(2);
    expect(viewer.position).toBe(`2-${publisher.epoch}`);
  });

  it('the position does not move back when the log fails while an event is ready', async () => {
    const { publisher, open } = await setUp();
    const viewer = await open();
    await publisher.append(chunk(), chunk(), chunk());
    await settled();
    viewer.take();
    await viewer.ready();
    viewer.warn('SOURCE_UNAVAILABLE', 'unavailable');
    const positions = [];
    for (let event = viewer.take(); event; event = viewer.take()) positions.push([event.id, viewer.position]);
    const at = (seq: number) => [`${seq}-${publisher.epoch}`, `${seq}-${publisher.epoch}`];
    expect(positions).toEqual([1, 2, 3].map(at));
  });

  it('the position stays at the cursor while a gap or a reset is ready and was not taken', async () => {
    const bounds = { ...DEFAULT_BOUNDS, maxEvents: 10 };
    const { publisher, open } = await setUp({ bounds });
    await publisher.chunks(30);
    const trimmed = await open({ after: { seq: 5, epoch: publisher.epoch } });
    await trimmed.ready();
    expect(trimmed.position).toBe(`5-${publisher.epoch}`);
    trimmed.take();
    expect(trimmed.position).toBe(`20-${publisher.epoch}`);
    const elsewhere = await open({ after: { seq: 5, epoch: 'anotherepoch' } });
    await elsewhere.ready();
    expect(elsewhere.position).toBe('5-anotherepoch');
    elsewhere.take();
    expect(elsewhere.position).toBe(`0-${publisher.epoch}`);
  });

  it('the position is never ahead of what was taken, wherever the connection breaks', async () => {
    const { publisher, open } = await setUp();
    const kinds = (i: number) => (i % 3 === 0 ? warning() : chunk());
    for (let i = 0; i < 900; i += 30) {
      await publisher.append(...Array.from({ length: 30 }, (_, j) => kinds(i + j)));
    }
    await publisher.complete();
    const got: number[] = [];
    let position: string | undefined;
    for (let i = 0; got.length < 300 && i < 500; i += 1) {
      const [seq, epoch] = position?.split('-') ?? ['0', publisher.epoch];
      const viewer = await open({ events: only('warning'), after: { seq: Number(seq), epoch: epoch! } });
      for (let j = 0; j < i % 5; j += 1) {
        await viewer.ready();
        const event = viewer.take();
        if (event) got.push(event.seq);
      }
      if (i % 2) await viewer.ready();
      position = viewer.position;
      viewer.close();
    }
    expect(got).toEqual(range(0, 299).map((i) => 3 * i + 1));
  });
});
