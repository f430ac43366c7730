// The contract of logs, part 2: what an append adds, rejects and removes.
import { describe, expect, test } from 'vitest';
import { until } from '../support/wait.ts';
import { freshId, logs, type MakeLog, request, take } from './logs.ts';
import { chunk, complete, fixed, seqs, TS, texts } from './recorder.ts';

export function appendContract(make: MakeLog): void {
  describe('append', () => {
    const newLog = logs(make);

    test('an auto log numbers events 1, 2, 3 and stores them unchanged', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id);
      expect(await log.append(id, request(head, [chunk('a'), chunk('b')]))).toEqual({
        outcome: 'appended',
        head: 2,
      });
      await log.append(id, request(head, [chunk('c')]));
      const page = await log.read(id, 0, 10);
      expect(texts(page!.events)).toEqual(['a', 'b', 'c']);
      expect(page?.events[2]).toEqual({
        id: `3-${head.epoch}`,
        seq: 3,
        type: 'llm_chunk',
        ts: TS,
        executionId: id,
        attempt: 1,
        data: { content: 'c' },
      });
    });

    test('numbers are stored as they were written', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id);
      const args = [
        2 ** 53 - 1,
        2 ** 53,
        -(2 ** 63),
        1e21,
        1.7976931348623157e308,
        5e-324,
        0.1,
        123456789.12345678,
      ];
      const data = { toolCallId: 't', toolName: 'n', status: 'started', args } as const;
      await log.append(id, request(head, [{ type: 'tool_call', ts: TS, data }]));
      expect((await log.read(id, 0, 1))!.events[0]!.data).toEqual(data);
    });

    test('a chunk that completes a surrogate pair or a CRLF has its first half, across batches and other events', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id);
      const halves: [content: string, completes?: string][] = [
        ['a\r'],
        ['\nb\ud83d', '\r'],
        ['\ude00c\\r', '\ud83d'],
        // A backslash and the letter r.
        ['\nd\r'],
        ['e\ud83d'],
        ['\ud83d'],
        [''],
        ['\ude00\r', '\ud83d'],
        ['\n', '\r'],
        ['\n\\\r'],
        ['\nf\ud83da'],
        ['\ude00 \r"'],
        ['\n'],
      ].map(([content, completes]) => [content!, completes]);
      halves[10]![1] = '\r';
      const warning = { type: 'warning', ts: TS, data: { code: 'W', message: '\r' } } as const;
      for (const [content] of halves) await log.append(id, request(head, [chunk(content), warning]));
      const contents = halves.map(([content]) => chunk(content));
      await log.append(
        id,
        request(head, [{ type: 'reset', ts: TS, data: { reason: 'overflow' } }, ...contents]),
      );
      const all = (await log.read(id, 0, 100))!.events.filter(({ type }) => type === 'llm_chunk');
      expect(texts(all)).toEqual([...halves, ...halves].map(([content]) => content));
      expect(all.map(({ completes }) => completes)).toEqual([...halves, ...halves].map(([, half]) => half));
    });

    test('a fixed log has the same halves, however its events are divided into batches', async () => {
      const contents = ['a\r', '\nb\ud83d', '\ude00'];
      for (const size of [1, 2, 3]) {
        const log = newLog();
        const id = freshId();
        const head = await take(log, id, { numbering: 'fixed', fence: 1 });
        const events = fixed(1, ...contents);
        for (let i = 0; i < 3; i += 1) {
          const batch = events.slice(Math.max(0, i + 1 - size), i + 1);
          const appended = await log.append(id, request(head, batch, { fence: 1 }));
          expect(appended).toEqual({ outcome: 'appended', head: i + 1 });
        }
        const page = await log.read(id, 0, 10);
        expect(page!.events.map(({ completes }) => completes)).toEqual([undefined, '\r', '\ud83d']);
      }
    });

    test('a batch that is sent twice is appended once and gets the same result', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id);
      const sent = request(head, [chunk('a'), chunk('b')], { batch: 'b1' });
      const first = await log.append(id, sent);
      expect(await log.append(id, sent)).toEqual(first);
      expect(await log.append(id, { ...sent, batch: 'b2' })).toEqual({ outcome: 'appended', head: 4 });
      const end = request(head, [complete()], { batch: 'b3' });
      expect(await log.append(id, end)).toEqual({ outcome: 'appended', head: 5 });
      expect(await log.append(id, end)).toEqual({ outcome: 'appended', head: 5 });
      expect((await log.head(id))?.head).toBe(5);
    });

    test('the last 256 batches are remembered, and older ones are forgotten', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id);
      for (let i = 1; i <= 257; i++) await log.append(id, request(head, [chunk('x')], { batch: `b${i}` }));
      expect(await log.findBatch(id, 'b1')).toBeUndefined();
      expect(await log.findBatch(id, 'b2')).toEqual({ head: 2 });
      expect(await log.findBatch(id, 'b257')).toEqual({ head: 257 });
      expect(await log.append(id, request(head, [chunk('x')], { batch: 'b100' }))).toEqual({
        outcome: 'appended',
        head: 100,
      });
      expect(await log.findBatch(freshId(), 'b2')).toBeUndefined();
    });

    test('a batch name that is reused for other events is rejected, and nothing is appended', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id);
      const sent = request(head, [chunk('a')], { batch: 'b1', batchDigest: 'one' });
      expect(await log.append(id, sent)).toEqual({ outcome: 'appended', head: 1 });
      expect(await log.findBatch(id, 'b1')).toEqual({ head: 1, digest: 'one' });
      const other = request(head, [chunk('b')], { batch: 'b1', batchDigest: 'two' });
      expect(await log.append(id, other)).toEqual({ outcome: 'batch-reused' });
      expect(await log.append(id, sent)).toEqual({ outcome: 'appended', head: 1 });
      // Without a digest nothing is compared.
      expect(await log.append(id, { ...other, batchDigest: undefined })).toEqual({
        outcome: 'appended',
        head: 1,
      });
      await log.append(id, request(head, [chunk('c')], { batch: 'b2' }));
      const digested = request(head, [chunk('d')], { batch: 'b2', batchDigest: 'one' });
      expect(await log.append(id, digested)).toEqual({ outcome: 'appended', head: 2 });
      expect((await log.head(id))?.head).toBe(2);
    });

    test('an append to a log that is gone, has another epoch or is shorter than acknowledged is lost', async () => {
      const log = newLog();
      const id = freshId();
      const events = [chunk('x')];
      expect(await log.append(id, { epoch: 'goneaway0000', acknowledged: 0, events })).toEqual({
        outcome: 'lost',
      });
      const head = await take(log, id);
      expect(await log.append(id, { epoch: 'goneaway0000', acknowledged: 0, events })).toEqual({
        outcome: 'lost',
      });
      expect(await log.append(id, request(head, events, { acknowledged: 1 }))).toEqual({ outcome: 'lost' });
      expect((await log.head(id))?.head).toBe(0);
    });

    test('a fixed log accepts events that it has already, regardless of their time', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { numbering: 'fixed' });
      await log.append(id, request(head, fixed(1, 'a', 'b')));
      const later = fixed(1, 'a', 'b', 'c').map((event) => ({ ...event, ts: '2030-01-01T00:00:00.000Z' }));
      expect(await log.append(id, request(head, later))).toEqual({ outcome: 'appended', head: 3 });
      expect(await log.append(id, request(head, later.slice(0, 2)))).toEqual({
        outcome: 'appended',
        head: 3,
      });
      const page = await log.read(id, 0, 10);
      expect(seqs(page!.events)).toEqual([1, 2, 3]);
      expect(page?.events.map(({ ts }) => ts)).toEqual([TS, TS, '2030-01-01T00:00:00.000Z']);
    });

    test('a fixed log returns the first seq with a different event, and appends nothing', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { numbering: 'fixed' });
      await log.append(id, request(head, fixed(1, 'a', 'b', 'c')));
      expect(await log.append(id, request(head, fixed(1, 'a', 'B', 'C', 'd')))).toEqual({
        outcome: 'conflict',
        seq: 2,
      });
      const warning = { type: 'warning', ts: TS, seq: 3, data: { code: 'c', message: '' } } as const;
      expect(await log.append(id, request(head, [warning]))).toEqual({ outcome: 'conflict', seq: 3 });
      expect((await log.head(id))?.head).toBe(3);
    });

    test('an event of another type with the same data is a different event', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { numbering: 'fixed' });
      const status = { ts: TS, seq: 1, data: { status: 'RUNNING' } } as const;
      await log.append(id, request(head, [{ ...status, type: 'agent_status' }]));
      expect(await log.append(id, request(head, [{ ...status, type: 'task_status' }]))).toEqual({
        outcome: 'conflict',
        seq: 1,
      });
    });

    test('an event whose data ends like the stored data is a different event', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { numbering: 'fixed' });
      await log.append(id, request(head, fixed(1, 'x","data":{"content":"a"}')));
      expect(await log.append(id, request(head, fixed(1, 'a')))).toEqual({ outcome: 'conflict', seq: 1 });
    });

    test('a fixed log rejects events above head + 1 and returns its head', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { numbering: 'fixed' });
      expect(await log.append(id, request(head, fixed(2, 'b')))).toEqual({ outcome: 'gap', head: 0 });
      await log.append(id, request(head, fixed(1, 'a')));
      expect(await log.append(id, request(head, fixed(3, 'c')))).toEqual({ outcome: 'gap', head: 1 });
    });

    test('a fixed log whose last events were lost is filled up again, regardless of what was acknowledged', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { numbering: 'fixed' });
      await log.append(id, request(head, fixed(1, 'a')));
      const refill = request(head, fixed(1, 'a', 'b', 'c'), { acknowledged: 3 });
      expect(await log.append(id, refill)).toEqual({ outcome: 'appended', head: 3 });
    });

    test('a batch with the other numbering is rejected as wrong-numbering', async () => {
      const log = newLog();
      const [auto, source] = [freshId(), freshId()];
      const autoHead = await take(log, auto);
      const fixedHead = await take(log, source, { numbering: 'fixed' });
      expect(await log.append(auto, request(autoHead, fixed(1, 'a')))).toEqual({
        outcome: 'wrong-numbering',
        numbering: 'auto',
      });
      expect(await log.append(source, request(fixedHead, [chunk('a')]))).toEqual({
        outcome: 'wrong-numbering',
        numbering: 'fixed',
      });
    });

    test('a log has one terminal event and nothing after it', async () => {
      const log = newLog();
      const [auto, source] = [freshId(), freshId()];
      const autoHead = await take(log, auto);
      const fixedHead = await take(log, source, { numbering: 'fixed' });
      await log.append(auto, request(autoHead, [chunk('a'), complete()]));
      expect(await log.append(auto, request(autoHead, [chunk('b')]))).toEqual({ outcome: 'ended', end: 2 });
      expect(await log.append(auto, request(autoHead, [complete()]))).toEqual({ outcome: 'ended', end: 2 });
      const last = [...fixed(1, 'a'), { ...complete(), seq: 2 }];
      expect(await log.append(source, request(fixedHead, last))).toEqual({ outcome: 'appended', head: 2 });
      expect(await log.append(source, request(fixedHead, last))).toEqual({ outcome: 'appended', head: 2 });
      expect(await log.append(source, request(fixedHead, fixed(3, 'c')))).toEqual({
        outcome: 'ended',
        end: 2,
      });
    });

    test.each([
      ['no events', []],
      ['an event after a terminal one', [complete(), chunk('x')]],
      ['seqs with a gap', [...fixed(1, 'a'), ...fixed(3, 'c')]],
      ['events of which one is numbered', [...fixed(1, 'a'), chunk('b')]],
      ['a seq of 0', fixed(0, 'a')],
      ['an event without data', [{ ...chunk('x'), data: undefined as never }]],
    ])('a batch with %s is rejected', async (_, events) => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id);
      await expect(log.append(id, request(head, events))).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
      expect((await log.head(id))?.head).toBe(0);
    });

    test('an append of the current attempt is accepted, and one of an older attempt is superseded', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { attempt: 2 });
      const append = async (attempt: number) => log.append(id, request(head, [chunk('x')], { attempt }));
      expect(await append(2)).toEqual({ outcome: 'appended', head: 1 });
      expect(await append(1)).toEqual({ outcome: 'superseded', attempt: 2 });
      expect((await log.head(id))?.head).toBe(1);
    });

    test("an append of a newer attempt raises the log's attempt", async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id, { numbering: 'fixed' });
      await log.append(id, request(head, fixed(1, 'a')));
      await log.append(id, request(head, fixed(2, 'b'), { attempt: 2 }));
      expect((await log.read(id, 0, 10))?.events.map(({ attempt }) => attempt)).toEqual([1, 2]);
      expect((await log.head(id))?.attempt).toBe(2);
    });

    test('the oldest events above the maximum number are removed, and the others keep their seqs', async () => {
      const log = newLog({ maxEvents: 10 });
      const id = freshId();
      const head = await take(log, id, { numbering: 'fixed' });
      for (let i = 1; i <= 25; i += 1) await log.append(id, request(head, fixed(i, `${i}`)));
      const page = await log.read(id, 0, 100);
      expect(seqs(page!.events)).toEqual([16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
      // Trimmed events count as equal; the others are compared.
      expect(await log.append(id, request(head, fixed(15, 'other', '16')))).toMatchObject({ head: 25 });
      expect(await log.append(id, request(head, fixed(15, 'other', 'other')))).toEqual({
        outcome: 'conflict',
        seq: 16,
      });
    });

    test('the oldest events above the maximum bytes are removed, and the last one stays however large it is', async () => {
      const log = newLog({ maxBytes: 2_000 });
      const id = freshId();
      const head = await take(log, id);
      for (let i = 0; i < 30; i += 1) await log.append(id, request(head, [chunk('x'.repeat(100))]));
      const page = await log.read(id, 0, 100);
      const bytes = page!.events
        .map(({ executionId: _, ...envelope }) => JSON.stringify(envelope).length)
        .reduce((sum, length) => sum + length);
      expect(bytes).toBeLessThanOrEqual(2_000);
      expect(bytes).toBeGreaterThan(1_700);
      expect(page?.events.at(-1)?.seq).toBe(30);
      await log.append(id, request(head, [chunk('x'.repeat(5_000))]));
      expect(seqs((await log.read(id, 0, 100))!.events)).toEqual([31]);
    });

    test('an ended log expires, and an open one stays', async () => {
      const log = newLog({ keepEndedMs: 500 });
      const [ended, open] = [freshId(), freshId()];
      const head = await take(log, ended);
      await log.append(open, request(await take(log, open), [chunk('x')]));
      await log.append(ended, request(head, [chunk('x'), complete()]));
      expect((await log.read(ended, 0, 10))?.end).toBe(2);
      await until(async () => (await log.head(ended)) === undefined, { what: 'the ended log to expire' });
      expect(await log.read(ended, 0, 10)).toBeUndefined();
      expect((await log.head(open))?.head).toBe(1);
      expect((await take(log, ended)).epoch).not.toBe(head.epoch);
    });

    test('concurrent appends give a gap-free order that keeps each batch together', async () => {
      const log = newLog();
      const id = freshId();
      const head = await take(log, id);
      const results = await Promise.all(
        Array.from({ length: 200 }, (_, i) =>
          log.append(id, request(head, [chunk(`${i}a`), chunk(`${i}b`), chunk(`${i}c`)])),
        ),
      );
      const heads = results.map((result) => (result.outcome === 'appended' ? result.head : 0));
      expect(heads.sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => 3 * (i + 1)));
      const page = await log.read(id, 0, 1_000);
      expect(seqs(page!.events)).toEqual(Array.from({ length: 600 }, (_, i) => i + 1));
      const all = texts(page!.events);
      for (let i = 0; i < all.length; i += 3) {
        const n = Number.parseInt(all[i]!, 10);
        expect(all.slice(i, i + 3)).toEqual([`${n}a`, `${n}b`, `${n}c`]);
      }
    });
  });
}
