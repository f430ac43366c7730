// The contract of logs, part 5: how a relay and a publisher share a log, and the notes that relays leave.
import { describe, expect, test } from 'vitest';
import { freshId, logs, type MakeLog, request, take } from './logs.ts';
import { chunk, fixed } from './recorder.ts';

export function relayContract(make: MakeLog): void {
  describe('relays', () => {
    const newLog = logs(make);

    test('a head has whether a publisher holds the log', async () => {
      const log = newLog();
      const [relayed, published] = [freshId(), freshId()];
      expect(await take(log, relayed, { fence: 1 })).toMatchObject({ hasPublisher: false });
      expect(await take(log, published, { publisher: 'p' })).toMatchObject({ hasPublisher: true });
      expect(await log.head(relayed)).toMatchObject({ hasPublisher: false });
      expect(await log.read(published, 0, 1)).toMatchObject({ hasPublisher: true });
    });

    test('a relay is superseded by a publisher that has appended nothing yet', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { publisher: 'p' });
      for (const attempt of [1, 2]) {
        const open = await log.open(id, { numbering: 'auto', attempt, fence: 5 });
        expect(open).toEqual({ outcome: 'superseded', attempt: 1 });
      }
      const append = await log.append(id, request(head, [chunk('x')], { fence: 5 }));
      expect(append).toEqual({ outcome: 'superseded', attempt: 1 });
      expect(await log.append(id, request(head, [chunk('x')], { publisher: 'p' }))).toMatchObject({
        head: 1,
      });
    });

    test('a publisher takes over the log of a relay without losing its events', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { fence: 5 });
      await log.append(id, request(head, [chunk('x')], { fence: 5, note: 'n' }));
      expect(await take(log, id, { publisher: 'p' })).toEqual({
        ...head,
        head: 1,
        hasPublisher: true,
        note: 'n',
      });
      const late = await log.append(id, request(head, [chunk('y')], { fence: 5 }));
      expect(late).toEqual({ outcome: 'superseded', attempt: 1 });
    });

    test('a relay may append to a fixed log that has a publisher', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { numbering: 'fixed', publisher: 'sink' });
      expect(await log.append(id, request(head, fixed(1, 'a'), { fence: 5 }))).toMatchObject({ head: 1 });
    });

    test('a note is stored only with its append, and kept until the next note or a new epoch', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { fence: 5 });
      expect(head.note).toBeUndefined();
      await log.append(id, request(head, [chunk('x')], { fence: 5, note: '{"a":"é"}' }));
      expect((await log.head(id))?.note).toBe('{"a":"é"}');
      await log.append(id, request(head, [chunk('y')], { fence: 5 }));
      await log.append(id, request(head, [chunk('z')], { fence: 4, note: 'fenced' }));
      expect((await log.read(id, 0, 10))?.note).toBe('{"a":"é"}');
      expect((await take(log, id, { fence: 6 })).note).toBe('{"a":"é"}');
      await log.append(id, request(head, [chunk('z')], { fence: 6, note: 'next' }));
      expect((await log.head(id))?.note).toBe('next');
      const lost = { epoch: head.epoch, acknowledged: 99 };
      expect((await take(log, id, { fence: 6, lost })).note).toBeUndefined();
    });
  });
}
