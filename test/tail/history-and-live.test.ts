// History and events that are appended in the meantime are delivered as 1..N, once and in order.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Viewer } from '../../src/tail/viewer.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { ID, keepTaking, publish, range, seqs, settled, setUp, takeAll, unavailable } from './harness.ts';

describe('history mixed with live', () => {
  it('a viewer that opens while events are published quickly takes 1..N', async () => {
    const { publisher, open } = await setUp();
    const publishing = publisher.chunks(2_000, 3);
    await settled();
    const taken = keepTaking(await open());
    await publishing;
    await settled();
    expect(seqs(taken)).toEqual(range(1, 2_000));
  });

  it('viewers at many cursors take everything after them while events are appended', async () => {
    const { publisher, open } = await setUp();
    await publisher.chunks(1_500);
    const publishing = publisher.chunks(1_500, 1);
    const cursors = [0, 1, 255, 256, 257, 475, 476, 477, 511, 512, 700, 1_023, 1_024, 1_025, 1_499, 1_500];
    const viewers = await Promise.all(
      cursors.map(async (seq) => keepTaking(await open({ after: { seq, epoch: publisher.epoch } }))),
    );
    await publishing;
    await settled();
    await settled();
    for (const [i, taken] of viewers.entries()) expect(seqs(taken)).toEqual(range(cursors[i]! + 1, 3_000));
  });

  it('50 reconnects at the cursors where the connection broke miss nothing', async () => {
    const { log, publisher, open } = await setUp();
    const got: number[] = [];
    let after: { seq: number; epoch: string } | undefined;
    for (let i = 0; i < 50; i += 1) {
      const viewer = await open({ after });
      await publisher.chunks(1 + ((i * 37) % 90), 7);
      const events = (await takeAll(viewer)).slice(0, 1 + ((i * 53) % 70));
      got.push(...seqs(events));
      viewer.close();
      after = { seq: got.at(-1)!, epoch: publisher.epoch };
    }
    await publisher.complete();
    got.push(...seqs(await takeAll(await open({ after }))));
    expect(got).toEqual(range(1, got.length));
    expect(got.length).toBe((await log.head(ID))?.head);
  });
});

describe('the order of listening and reading', () => {
  it('a tail listens, waits for the acknowledgement, and then reads', async () => {
    const { log, open } = await setUp();
    await open();
    expect(log.calls.slice(0, 3)).toEqual(['listen', 'listening', 'read']);
  });

  it('nothing is lost between the acknowledgement, the read and the first announcement', async () => {
    const { log, publisher, open } = await setUp();
    await publisher.chunks(3);
    log.beforeListen = () => publisher.chunks(2);
    let times = 0;
    log.beforeRead = () => (times++ === 0 ? publisher.chunks(4) : undefined);
    log.afterRead = () => (times++ < 3 ? publisher.chunks(5) : undefined);
    const taken = keepTaking(await open());
    await settled();
    await settled();
    const { head } = (await log.head(ID))!;
    expect(head).toBeGreaterThanOrEqual(14);
    expect(seqs(taken)).toEqual(range(1, head));
  });
});

describe('announcements', () => {
  it('announcements that are lost are detected by the next one', async () => {
    const { log, publisher, open } = await setUp();
    const taken = keepTaking(await open());
    await publisher.chunks(3, 1);
    await settled();
    log.onAnnouncement = () => {};
    await publisher.chunks(4, 1);
    await settled();
    expect(taken).toHaveLength(3);
    log.onAnnouncement = (_, deliver) => deliver();
    await publisher.chunks(1);
    await settled();
    expect(seqs(taken)).toEqual(range(1, 8));
  });

  it('announcements that are lost are detected when the connection is restored', async () => {
    const { log, publisher, open } = await setUp();
    const taken = keepTaking(await open());
    log.onAnnouncement = () => {};
    await publisher.chunks(700);
    await publisher.complete();
    await settled();
    expect(taken).toEqual([]);
    log.interrupt();
    await settled();
    await settled();
    expect(seqs(taken)).toEqual(range(1, 701));
  });

  it('announcements that arrive twice, late or in another order change nothing', async () => {
    const { log, publisher, open } = await setUp();
    const taken = keepTaking(await open());
    const late: (() => void)[] = [];
    log.onAnnouncement = (_, deliver) => late.push(deliver, deliver);
    await publisher.chunks(40, 3);
    await settled();
    late.reverse();
    for (const [i, deliver] of late.entries()) {
      deliver();
      if (i % 3 === 0) await settled();
    }
    await settled();
    expect(seqs(taken)).toEqual(range(1, 40));
  });

  it('announcements that arrive while the log is read are not lost', async () => {
    const { log, publisher, open } = await setUp();
    const taken = keepTaking(await open());
    await settled();
    let times = 0;
    log.afterRead = () => (times++ < 5 ? publisher.chunks(2) : undefined);
    log.interrupt();
    await settled();
    await settled();
    expect(seqs(taken)).toEqual(range(1, 10));
  });
});

describe('any sequence of appends, failures and viewers', () => {
  type Step =
    | { do: 'append'; count: number; batch: number }
    | { do: 'open'; at: number }
    | { do: 'close'; which: number }
    | { do: 'announce'; how: 'drop' | 'double' | 'delay' | 'through' }
    | { do: 'reads'; how: 'fail' | 'work' }
    | { do: 'rest' };
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({
      do: fc.constant('append' as const),
      count: fc.integer({ min: 1, max: 700 }),
      batch: fc.integer({ min: 1, max: 60 }),
    }),
    fc.record({ do: fc.constant('open' as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
    fc.record({ do: fc.constant('close' as const), which: fc.nat(20) }),
    fc.record({
      do: fc.constant('announce' as const),
      how: fc.constantFrom('drop' as const, 'double' as const, 'delay' as const, 'through' as const),
    }),
    fc.record({ do: fc.constant('reads' as const), how: fc.constantFrom('fail' as const, 'work' as const) }),
    fc.record({ do: fc.constant('rest' as const) }),
  );

  it('every viewer sees every seq after its cursor once and in order', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
        const { log, publisher, open, tails, followed } = await setUp();
        const viewers: { viewer: Viewer; after: number; taken: ReturnType<typeof keepTaking> }[] = [];
        const late: (() => void)[] = [];
        for (const todo of steps) {
          if (todo.do === 'append') void publisher.chunks(todo.count, todo.batch);
          if (todo.do === 'rest') await settled();
          if (todo.do === 'close') viewers[todo.which % (viewers.length || 1)]?.viewer.close();
          if (todo.do === 'reads') {
            log.beforeRead = () => {
              if (todo.how === 'fail') throw unavailable();
            };
          }
          if (todo.do === 'announce') {
            log.onAnnouncement = (_, deliver) => {
              if (todo.how === 'through' || todo.how === 'double') deliver();
              if (todo.how === 'delay' || todo.how === 'double') late.push(deliver);
            };
          }
          if (todo.do === 'open') {
            const { head } = (await log.head(ID))!;
            const after = Math.floor(head * todo.at);
            const viewer = await open({ after: { seq: after, epoch: publisher.epoch } }).catch(
              () => undefined,
            );
            if (viewer) viewers.push({ viewer, after, taken: keepTaking(viewer) });
          }
        }
        await settled();
        log.beforeRead = () => {};
        log.onAnnouncement = (_, deliver) => deliver();
        for (const deliver of late) deliver();
        await settled();
        await publisher.complete();
        const { head } = (await log.head(ID))!;
        // A read that has failed is tried again after a while.
        for (
          let tries = 0;
          tries < 400 && viewers.some(({ viewer }) => !viewer.closed && !viewer.ended);
          tries += 1
        ) {
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        for (const { viewer, after, taken } of viewers) {
          const own = taken.filter(
            (event) => !(event.type === 'warning' && event.data.code === 'SOURCE_UNAVAILABLE'),
          );
          expect(seqs(own)).toEqual(range(after + 1, viewer.closed ? after + own.length : head));
          viewer.close();
        }
        await settled();
        expect([tails.size, log.listeners.size, followed.now]).toEqual([0, 0, 0]);
      }),
      { numRuns: propertyRuns(150), endOnFailure: true },
    );
  });
});

describe('two publishers of one log', () => {
  it('events of two publishers are taken in the order of the log, including a new attempt', async () => {
    const { log, publisher, open } = await setUp();
    const taken = keepTaking(await open());
    await publisher.chunks(5);
    const second = await publish(log, { attempt: 2, publisher: 'publisher-2' });
    await second.chunks(5);
    await settled();
    expect(seqs(taken)).toEqual(range(1, 11));
    expect(taken[5]).toMatchObject({ type: 'reset', attempt: 2, data: { reason: 'attempt' } });
  });
});
