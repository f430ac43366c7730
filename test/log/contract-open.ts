// The contract of logs, part 1: who may open a log, and when a new epoch starts.
import { describe, expect, test } from 'vitest';
import type { LogHead } from '../../src/log/log.ts';
import { freshId, logs, type MakeLog, request, take } from './logs.ts';
import { chunk, complete, fixed, types } from './recorder.ts';

export function openContract(make: MakeLog): void {
  describe('open', () => {
    const newLog = logs(make);

    test('an open where there is no log starts one in a new epoch', async () => {
      const log = newLog();
      const id = freshId();
      expect(await log.head(id)).toBeUndefined();
      const opened = await log.open(id, { numbering: 'auto', publisher: 'a', attempt: 2 });
      const epoch = expect.stringMatching(/^[0-9a-z]{10,16}$/);
      const head = { epoch, head: 0, numbering: 'auto', attempt: 2, end: 0, hasPublisher: true };
      expect(opened).toEqual({ outcome: 'opened', head, isNewEpoch: true });
      expect(await log.head(id)).toEqual(head);
      expect((await take(log, freshId())).epoch).not.toBe((await log.head(id))?.epoch);
    });

    test('a server that has read more than is left starts a new epoch on behalf of the holder', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { publisher: 'a' });
      await log.append(id, request(head, [chunk('x')], { publisher: 'a' }));
      const reportLoss = (acknowledged: number, epoch = head.epoch) =>
        log.open(id, { numbering: 'auto', attempt: 1, lost: { epoch, acknowledged } });
      // Everything that it has read is still there.
      expect(await reportLoss(1)).toEqual({
        outcome: 'opened',
        head: { ...head, head: 1 },
        isNewEpoch: false,
      });
      const restarted = await reportLoss(2);
      expect(restarted).toMatchObject({
        outcome: 'opened',
        isNewEpoch: true,
        head: { head: 1, hasPublisher: true },
      });
      const { epoch } = (restarted as { head: LogHead }).head;
      expect(epoch).not.toBe(head.epoch);
      // The same report by another server changes nothing.
      expect(await reportLoss(2)).toMatchObject({
        outcome: 'opened',
        isNewEpoch: true,
        head: { epoch, head: 1 },
      });
      const page = (await log.read(id, 0, 10))!;
      expect(page.events.map(({ type, data }) => [type, data])).toEqual([['reset', { reason: 'log_lost' }]]);
      // The holder finds its log lost, and continues in the new epoch.
      expect(await log.append(id, request(head, [chunk('y')], { publisher: 'a' }))).toEqual({
        outcome: 'lost',
      });
      const lost = { epoch: head.epoch, acknowledged: 1 };
      const back = await log.open(id, { numbering: 'auto', publisher: 'a', attempt: 1, lost });
      expect(back).toMatchObject({ outcome: 'opened', isNewEpoch: true, head: { epoch, head: 1 } });
      const now = (back as { head: LogHead }).head;
      expect(await log.append(id, request(now, [chunk('z')], { publisher: 'a' }))).toEqual({
        outcome: 'appended',
        head: 2,
      });
      expect(await reportLoss(2, epoch)).toMatchObject({ head: { hasPublisher: true, head: 2 } });
      expect(await log.append(id, request(now, [chunk('z')], { publisher: 'a' }))).toMatchObject({
        outcome: 'appended',
      });
    });

    test('an open by the holder returns the same log and changes nothing', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { publisher: 'a' });
      await log.append(id, request(head, [chunk('x')], { publisher: 'a' }));
      const again = await log.open(id, { numbering: 'auto', publisher: 'a', attempt: 1 });
      expect(again).toEqual({ outcome: 'opened', head: { ...head, head: 1 }, isNewEpoch: false });
    });

    test('a second publisher is rejected once the holder has appended', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { publisher: 'a' });
      await log.append(id, request(head, [chunk('x')], { publisher: 'a' }));
      const other = await log.open(id, { numbering: 'auto', publisher: 'b', attempt: 1 });
      expect(other).toEqual({ outcome: 'superseded', attempt: 1 });
    });

    test('a second publisher supersedes a holder that has appended nothing', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { publisher: 'a' });
      expect(await take(log, id, { publisher: 'b' })).toEqual(head);
      const late = await log.append(id, request(head, [chunk('x')], { publisher: 'a' }));
      expect(late).toEqual({ outcome: 'superseded', attempt: 1 });
      expect(await log.append(id, request(head, [chunk('y')], { publisher: 'b' }))).toEqual({
        outcome: 'appended',
        head: 1,
      });
    });

    test('only a server that has read the log to its head may take it from its holder', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { publisher: 'a' });
      await log.append(id, request(head, [chunk('x'), chunk('y')], { publisher: 'a' }));
      const opening = { numbering: 'auto', attempt: 1 } as const;
      for (const takeoverCursor of [`1-${head.epoch}`, `3-${head.epoch}`, '2-anotherepoch']) {
        const late = await log.open(id, { ...opening, publisher: 'b', takeoverCursor });
        expect(late).toEqual({ outcome: 'superseded', attempt: 1 });
      }
      const takeoverCursor = `2-${head.epoch}`;
      expect(await log.open(id, { ...opening, publisher: 'b', takeoverCursor })).toEqual({
        outcome: 'opened',
        head: { ...head, head: 2 },
        isNewEpoch: false,
      });
      // A log that is gone is not recreated by a takeover.
      const gone = await log.open(freshId(), { ...opening, publisher: 'b', takeoverCursor });
      expect(gone).toEqual({ outcome: 'superseded', attempt: 1 });
      // The new holder has appended nothing yet, but this cursor is not the head.
      const stale = await log.open(id, { ...opening, publisher: 'c', takeoverCursor: `1-${head.epoch}` });
      expect(stale).toEqual({ outcome: 'superseded', attempt: 1 });
      expect(await log.append(id, request(head, [chunk('z')], { publisher: 'a' }))).toEqual({
        outcome: 'superseded',
        attempt: 1,
      });
      expect(await log.append(id, request(head, [complete()], { publisher: 'b' }))).toEqual({
        outcome: 'appended',
        head: 3,
      });
    });

    test('a newer attempt takes the log over, with a reset if it holds events', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { publisher: 'a' });
      expect(await take(log, id, { publisher: 'b', attempt: 2 })).toMatchObject({ head: 0, attempt: 2 });
      await log.append(id, request(head, [chunk('x')], { publisher: 'b' }));
      const third = await log.open(id, { numbering: 'auto', publisher: 'c', attempt: 3 });
      expect(third).toEqual({
        outcome: 'opened',
        head: { ...head, head: 2, attempt: 3 },
        isNewEpoch: false,
      });
      const page = await log.read(id, 1, 10);
      expect(page?.events).toMatchObject([
        { seq: 2, type: 'reset', attempt: 3, data: { reason: 'attempt' } },
      ]);
      expect(page?.events[0]?.ts).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      // The reset does not count as an append of the third publisher.
      expect(await take(log, id, { publisher: 'd', attempt: 3 })).toMatchObject({ head: 2 });
    });

    test('an older attempt is superseded, and so are its appends', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { publisher: 'a', attempt: 2 });
      expect(await log.open(id, { numbering: 'auto', publisher: 'a', attempt: 1 })).toEqual({
        outcome: 'superseded',
        attempt: 2,
      });
      expect(await log.append(id, request(head, [chunk('x')], { attempt: 1 }))).toEqual({
        outcome: 'superseded',
        attempt: 2,
      });
    });

    test('a log that has ended is not opened again', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id);
      await log.append(id, request(head, [chunk('x'), complete()]));
      const ended = { outcome: 'ended', head: { ...head, head: 2, end: 2 } };
      expect(await log.open(id, { numbering: 'auto', attempt: 1 })).toEqual(ended);
      expect(await log.open(id, { numbering: 'auto', attempt: 2 })).toEqual(ended);
    });

    test('an open with the other numbering is rejected as wrong-numbering', async () => {
      const log = newLog();
      const id = freshId();
      await take(log, id, { numbering: 'fixed' });
      expect(await log.open(id, { numbering: 'auto', attempt: 1 })).toEqual({
        outcome: 'wrong-numbering',
        numbering: 'fixed',
      });
    });

    test('an older fencing token is rejected by open and append', async () => {
      const log = newLog();
      const id = freshId();
      const numbering = 'fixed';
      const head = await take(log, id, { numbering, fence: 5 });
      expect(await log.open(id, { numbering, attempt: 1, fence: 4 })).toEqual({ outcome: 'fenced' });
      expect(await log.append(id, request(head, fixed(1, 'a'), { fence: 4 }))).toEqual({ outcome: 'fenced' });
      expect(await log.append(id, request(head, fixed(1, 'a'), { fence: 7 }))).toMatchObject({ head: 1 });
      expect(await log.append(id, request(head, fixed(2, 'b'), { fence: 5 }))).toEqual({ outcome: 'fenced' });
    });

    test('a publisher that opens its log again keeps it, and what it has appended counts', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { publisher: 'a' });
      await log.append(id, request(head, [chunk('x')], { publisher: 'a' }));
      await take(log, id, { publisher: 'a' });
      const second = await log.open(id, { numbering: 'auto', publisher: 'b', attempt: 1 });
      expect(second).toEqual({ outcome: 'superseded', attempt: 1 });
    });

    test('a publisher that has appended nothing to the log of a relay is superseded by another one', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { fence: 5 });
      await log.append(id, request(head, [chunk('x')], { fence: 5 }));
      await take(log, id, { publisher: 'a' });
      expect(await take(log, id, { publisher: 'b' })).toMatchObject({ head: 1, hasPublisher: true });
      const append = await log.append(id, request(head, [chunk('y')], { publisher: 'a' }));
      expect(append).toEqual({ outcome: 'superseded', attempt: 1 });
    });

    test('a newer attempt of a fixed log gets no reset', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { numbering: 'fixed' });
      await log.append(id, request(head, fixed(1, 'a')));
      expect(await take(log, id, { numbering: 'fixed', attempt: 2 })).toMatchObject({ head: 1, attempt: 2 });
      expect(types((await log.read(id, 0, 10))!.events)).toEqual(['llm_chunk']);
    });

    test('a server that reports the loss of a log that is gone starts one without a holder', async () => {
      const log = newLog();
      const lost = { epoch: 'goneaway0000', acknowledged: 7 };
      expect(await log.open(freshId(), { numbering: 'auto', attempt: 1, lost })).toMatchObject({
        outcome: 'opened',
        head: { head: 1, hasPublisher: false },
        isNewEpoch: true,
      });
    });

    test('a new epoch that a server starts keeps the fence of the lost log', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { fence: 5 });
      await log.append(id, request(head, [chunk('x')], { fence: 5 }));
      const next = await take(log, id, { lost: { epoch: head.epoch, acknowledged: 9 } });
      expect(next.epoch).not.toBe(head.epoch);
      expect(await log.append(id, request(next, [chunk('y')], { fence: 4 }))).toEqual({ outcome: 'fenced' });
    });

    test('an open that reports a loss starts a new epoch with a reset where the log is gone', async () => {
      const log = newLog();
      const id = freshId();
      const lost = { epoch: 'goneaway0000', acknowledged: 7 };
      expect(await log.open(id, { numbering: 'auto', publisher: 'a', attempt: 2, lost })).toMatchObject({
        outcome: 'opened',
        head: { head: 1, attempt: 2 },
        isNewEpoch: true,
      });
      expect((await log.read(id, 0, 10))?.events).toMatchObject([
        { seq: 1, type: 'reset', attempt: 2, data: { reason: 'log_lost' } },
      ]);
    });

    test('an open that reports a loss may name another reason, which the head keeps', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { publisher: 'a' });
      expect(head.resetReason).toBeUndefined();
      const lost = { epoch: head.epoch, acknowledged: Number.POSITIVE_INFINITY, reason: 'run' } as const;
      expect(await log.open(id, { numbering: 'auto', publisher: 'a', attempt: 1, lost })).toMatchObject({
        head: { resetReason: 'run' },
        isNewEpoch: true,
      });
      const page = (await log.read(id, 0, 10))!;
      expect(page.resetReason).toBe('run');
      expect(page.events.map(({ data }) => data)).toEqual([{ reason: 'run' }]);
      const fixed = freshId();
      await log.open(fixed, {
        numbering: 'fixed',
        attempt: 1,
        lost: { epoch: 'goneaway0000', acknowledged: 1 },
      });
      expect(await log.head(fixed)).toMatchObject({ head: 0, resetReason: 'log_lost' });
    });

    test('an open that reports a loss starts one new epoch where the head is too low, however often it is sent', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { publisher: 'a' });
      await log.append(id, request(head, [chunk('x')], { publisher: 'a' }));
      const lost = { epoch: head.epoch, acknowledged: 3 };
      const open = () => log.open(id, { numbering: 'auto', publisher: 'a', attempt: 1, lost });
      const first = await open();
      expect(first).toMatchObject({ outcome: 'opened', head: { head: 1 }, isNewEpoch: true });
      expect(await open()).toEqual(first);
      const page = await log.read(id, 0, 10);
      expect(page?.epoch).not.toBe(head.epoch);
      expect(types(page!.events)).toEqual(['reset']);
      expect(page?.events[0]?.id).toBe(`1-${page?.epoch}`);
    });

    test('an open that reports a loss changes nothing where the log is complete', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { publisher: 'a' });
      await log.append(id, request(head, [chunk('x')], { publisher: 'a' }));
      const lost = { epoch: head.epoch, acknowledged: 1 };
      const opened = await log.open(id, { numbering: 'auto', publisher: 'a', attempt: 1, lost });
      expect(opened).toEqual({ outcome: 'opened', head: { ...head, head: 1 }, isNewEpoch: false });
    });

    test('a source that met a conflict starts a new epoch without a reset, and keeps its fence', async () => {
      const log = newLog();
      const id = freshId();
      const numbering = 'fixed';
      const head = await take(log, id, { numbering, fence: 3 });
      await log.append(id, request(head, fixed(1, 'a', 'b')));
      const lost = { epoch: head.epoch, acknowledged: Number.POSITIVE_INFINITY };
      const again = await log.open(id, { numbering, attempt: 1, fence: 3, lost });
      expect(again).toMatchObject({ outcome: 'opened', head: { head: 0 }, isNewEpoch: true });
      expect((await log.read(id, 0, 10))?.events).toEqual([]);
      expect(await log.open(id, { numbering, attempt: 1, fence: 2 })).toEqual({ outcome: 'fenced' });
      // Another relay that met the same conflict gets the new epoch and does not start a third.
      const late = await log.open(id, { numbering, attempt: 1, fence: 3, lost });
      expect(late).toEqual(again);
    });

    describe('for a row', () => {
      const auto = { numbering: 'auto', attempt: 1 } as const;

      async function ended(of: object) {
        const log = newLog();
        const id = freshId();
        const head = await take(log, id, { publisher: 'a', attempt: 3, ...of });
        await log.append(id, request(head, [chunk('x'), complete()], { publisher: 'a' }));
        return { log, id, head };
      }

      test('the log of a deleted row is replaced by a new epoch with a reset, also if it has ended', async () => {
        const { log, id, head } = await ended({ incarnation: 'first' });
        expect(head.incarnation).toBe('first');
        const opened = await log.open(id, { ...auto, publisher: 'b', incarnation: 'second' });
        const expected = { head: 1, end: 0, attempt: 1, hasPublisher: true, incarnation: 'second' };
        expect(opened).toMatchObject({ outcome: 'opened', isNewEpoch: true, head: expected });
        const page = (await log.read(id, 0, 10))!;
        expect(page.epoch).not.toBe(head.epoch);
        expect(page.events).toMatchObject([{ seq: 1, attempt: 1, type: 'reset', data: { reason: 'run' } }]);
      });

      test('a log with the numbering of its source is replaced, too, and its new epoch has the reason', async () => {
        const log = newLog();
        const id = freshId();
        const fixed = { numbering: 'fixed', attempt: 2 } as const;
        const { head } = (await log.open(id, { ...fixed, fence: 3, incarnation: 'first' })) as {
          head: LogHead;
        };
        await log.append(id, {
          ...{ epoch: head.epoch, acknowledged: 0, fence: 3 },
          events: [{ ...complete(), seq: 1 }],
        });
        expect(await log.open(id, { ...fixed, incarnation: 'first' })).toMatchObject({ outcome: 'ended' });
        const opened = await log.open(id, { numbering: 'fixed', attempt: 1, incarnation: 'second' });
        const expected = { head: 0, end: 0, attempt: 1, resetReason: 'run', incarnation: 'second' };
        expect(opened).toMatchObject({ outcome: 'opened', isNewEpoch: true, head: expected });
        expect(await log.open(id, { ...fixed, fence: 2, incarnation: 'second' })).toEqual({
          outcome: 'fenced',
        });
        const late = { epoch: head.epoch, acknowledged: 1, fence: 3, events: [{ ...complete(), seq: 1 }] };
        expect(await log.append(id, late)).toEqual({ outcome: 'lost' });
      });

      test('the log of the same row, or of an unknown one, is kept', async () => {
        for (const [first, second] of [
          ['same', 'same'],
          [undefined, 'known'],
          ['known', undefined],
        ]) {
          const { log, id } = await ended({ ...(first && { incarnation: first }) });
          const opened = await log.open(id, {
            ...auto,
            publisher: 'b',
            ...(second && { incarnation: second }),
          });
          expect(opened).toMatchObject({ outcome: 'ended', head: { end: 2 } });
        }
      });

      test('a log without a row belongs to the first one that opens it', async () => {
        const log = newLog();
        const id = freshId();
        await take(log, id, { publisher: 'a' });
        await log.open(id, { ...auto, publisher: 'a', incarnation: 'first' });
        expect(await log.head(id)).toMatchObject({ head: 0, incarnation: 'first' });
      });

      test('a server that has only read a row gives the log no holder, and takes none from it', async () => {
        const { log, id } = await ended({ incarnation: 'first' });
        const report = { ...auto, incarnation: 'second' };
        const replaced = await log.open(id, report);
        expect(replaced).toMatchObject({ outcome: 'opened', head: { head: 1, hasPublisher: false } });
        const { epoch } = (replaced as { head: LogHead }).head;
        await log.open(id, { ...report, publisher: 'b' });
        expect(await log.open(id, report)).toMatchObject({
          outcome: 'opened',
          isNewEpoch: false,
          head: { epoch, hasPublisher: true },
        });
      });

      test('a writer of the deleted row, which has lost its log, is superseded', async () => {
        const { log, id, head } = await ended({ incarnation: 'first' });
        await log.open(id, { ...auto, publisher: 'b', incarnation: 'second' });
        const before = await log.head(id);
        const late = { ...auto, publisher: 'a', attempt: 3, incarnation: 'first' };
        const lost = { epoch: head.epoch, acknowledged: 2 };
        expect(await log.open(id, { ...late, lost })).toEqual({ outcome: 'superseded', attempt: 1 });
        const takeoverCursor = `2-${head.epoch}`;
        expect(await log.open(id, { ...late, takeoverCursor })).toEqual({
          outcome: 'superseded',
          attempt: 1,
        });
        expect(await log.head(id)).toEqual(before);
      });

      test('a relay keeps its fence when it replaces the log', async () => {
        const log = newLog();
        const id = freshId();
        await take(log, id, { fence: 5, incarnation: 'first' });
        await log.open(id, { ...auto, fence: 6, incarnation: 'second' });
        expect(await log.open(id, { ...auto, fence: 5, incarnation: 'second' })).toEqual({
          outcome: 'fenced',
        });
      });
    });
  });
}
