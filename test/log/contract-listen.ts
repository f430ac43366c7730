// The contract of logs, part 4: a listener receives every append once and in order.
import { describe, expect, test } from 'vitest';
import { freshId, logs, type MakeLog, request, take } from './logs.ts';
import { chunk, complete, recorder, seqs, texts, upTo } from './recorder.ts';

export function listenContract(make: MakeLog): void {
  describe('listen', () => {
    const newLog = logs(make);

    test('a listener receives everything that is appended after listen resolved, once and in order', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id);
      await log.append(id, request(head, [chunk('before')]));
      const heard = recorder();
      await log.listen(id, heard);
      for (let i = 2; i <= 50; i += 1) await log.append(id, request(head, [chunk(`${i}`)]));
      await log.append(id, request(head, [chunk('51'), complete()]));
      await heard.heard(52);
      expect(seqs(heard.events.filter(({ seq }) => seq > 1))).toEqual(upTo(52).slice(1));
      expect(heard.events.at(-1)).toEqual((await log.read(id, 51, 1))?.events[0]);
      expect(new Set(heard.epochs)).toEqual(new Set([head.epoch]));
      expect(heard.interruptions).toBe(0);
    });

    test('a batch is announced as one announcement', async () => {
      const log = newLog();
      const id = freshId();
      const heard = recorder();
      await log.listen(id, heard);
      await log.append(id, request(await take(log, id), [chunk('a'), chunk('b'), chunk('c')]));
      await heard.heard(3);
      expect(heard.epochs).toHaveLength(1);
    });

    test('events that open appends are announced too', async () => {
      const log = newLog();
      const id = freshId();
      const heard = recorder();
      await log.listen(id, heard);
      const head = await take(log, id);
      await log.append(id, request(head, [chunk('x')]));
      await take(log, id, { attempt: 2 });
      await heard.heard(2);
      await log.open(id, { numbering: 'auto', attempt: 2, lost: { epoch: head.epoch, acknowledged: 9 } });
      await heard.heard(1);
      const last = await log.head(id);
      await log.append(id, request(last!, [chunk('x')]));
      await log.append(id, request(last!, [chunk('x')]));
      await heard.heard(3);
      expect(heard.events.map(({ seq, type }) => [seq, type])).toEqual([
        [1, 'llm_chunk'],
        [2, 'reset'],
        [1, 'reset'],
        [2, 'llm_chunk'],
        [3, 'llm_chunk'],
      ]);
      expect(heard.epochs.at(-1)).toBe(last?.epoch);
    });

    test('announcements of concurrent appends arrive in the order of the log', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id);
      const heard = recorder();
      await log.listen(id, heard);
      await Promise.all(upTo(300).map((n) => log.append(id, request(head, [chunk(`${n}`)]))));
      await heard.heard(300);
      expect(seqs(heard.events)).toEqual(upTo(300));
    });

    test('each listener receives the events of its execution only, and none after it has left', async () => {
      const log = newLog();
      const [id, other] = [freshId(), freshId()];
      const [head, otherHead] = [await take(log, id), await take(log, other)];
      const [a, b, c] = [recorder(), recorder(), recorder()];
      const [leave] = await Promise.all([log.listen(id, a), log.listen(id, b), log.listen(other, c)]);
      await log.append(id, request(head, [chunk('1')]));
      await log.append(other, request(otherHead, [chunk('other')]));
      await Promise.all([a.heard(1), b.heard(1), c.heard(1)]);
      await leave();
      await leave();
      await log.append(id, request(head, [chunk('2')]));
      await b.heard(2);
      expect([texts(a.events), texts(b.events), texts(c.events)]).toEqual([['1'], ['1', '2'], ['other']]);
    });

    test('rapid cycles of listening and leaving lose no event', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id);
      for (let seq = 1; seq <= 40; seq += 1) {
        const heard = recorder();
        const leave = await log.listen(id, heard);
        await log.append(id, request(head, [chunk(`${seq}`)]));
        await heard.heard(seq);
        // Not awaited on purpose, so that the next listen on the channel can overtake it.
        const left = leave();
        if (seq % 2) await left;
      }
    });

    test('a listener that joins while another leaves receives every event', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id);
      let leave = await log.listen(id, recorder());
      for (let seq = 1; seq <= 40; seq += 1) {
        const heard = recorder();
        const [next] = await Promise.all([log.listen(id, heard), leave()]);
        await log.append(id, request(head, [chunk(`${seq}`)]));
        await heard.heard(seq);
        leave = next;
      }
    });

    test('a log responds to a ping', async () => {
      await expect(newLog().ping()).resolves.toBeUndefined();
    });
  });
}
