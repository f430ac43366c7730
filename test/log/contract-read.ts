// The contract of logs, part 3: events are read unchanged, one page at a time.
import { describe, expect, test } from 'vitest';
import type { EventType, NewEvent } from '../../src/event/events.ts';
import { freshId, logs, type MakeLog, request, take } from './logs.ts';
import { chunk, recorder, seqs, TS, texts, upTo } from './recorder.ts';

export function readContract(make: MakeLog): void {
  describe('read', () => {
    const newLog = logs(make);

    test("pages follow each other without a gap, and each has the log's head", async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id);
      await log.append(
        id,
        request(
          head,
          upTo(25).map((n) => chunk(`${n}`)),
        ),
      );
      const read: number[] = [];
      for (let after = 0; after < 25; after = read.at(-1)!) {
        const page = await log.read(id, after, 10);
        expect(page).toMatchObject({ epoch: head.epoch, head: 25, numbering: 'auto', attempt: 1, end: 0 });
        expect(page!.events.length).toBeLessThanOrEqual(10);
        read.push(...seqs(page!.events));
      }
      expect(read).toEqual(upTo(25));
      expect((await log.read(id, 25, 10))?.events).toEqual([]);
      expect((await log.read(id, 99, 10))?.events).toEqual([]);
    });

    test('a log that does not exist differs from one without events', async () => {
      const log = newLog();
      const id = freshId();
      expect(await log.read(id, 0, 10)).toBeUndefined();
      await take(log, id);
      expect(await log.read(id, 0, 10)).toMatchObject({ head: 0, events: [] });
    });

    test.each([
      ['line breaks of all kinds', 'a\r\nb\nc\rd\n\n'],
      ['only white space', ' \t '],
      ['no characters', ''],
      ['NUL and control characters', '\u0000\u0001\u001f\u007f'],
      ['lone surrogates', '\ud800 \udc00\ud800'],
      ['emoji and combining characters', '👩‍👩‍👧‍👦 e\u0301 \u{10ffff}'],
      ['U+2028 and U+2029', 'a\u2028b\u2029c'],
      ['quotes, backslashes and braces', '"\\"}{[]\\u0041 %s %%'],
    ])('text with %s is read back byte for byte', async (_, content) => {
      const log = newLog();
      const id = freshId();
      const heard = recorder();
      await log.listen(id, heard);
      await log.append(id, request(await take(log, id), [chunk(content)]));
      expect(texts((await log.read(id, 0, 1))!.events)).toEqual([content]);
      await heard.heard(1);
      expect(texts(heard.events)).toEqual([content]);
    });

    test('numbers, empty arrays and objects, nesting and the order of keys are preserved', async () => {
      const log = newLog();
      const id = freshId();
      const args = {
        z: [],
        a: {},
        deep: [[{}], [[]], null, [null]],
        numbers: [0, -1.5, 1e300, 5e-324, 9_007_199_254_740_991, 1.1, 100_000_000_000_000_000_000],
        '': { null: null, true: true, '\u0000': '' },
      };
      const event: NewEvent<EventType> = {
        type: 'tool_call',
        ts: TS,
        data: { toolCallId: 't', toolName: 'n', status: 'started', args },
      };
      await log.append(id, request(await take(log, id), [event]));
      const [stored] = (await log.read(id, 0, 1))!.events;
      expect(JSON.stringify(stored!.data)).toBe(JSON.stringify(event.data));
    });
  });
}
