// A store and a log that fail, hang, lose responses, lose data or belong to another publisher: the work never fails and
// is delayed by a limited time, and viewers end up with complete content.
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import type { PublisherLimits } from '../../src/publish/limits.ts';
import { createEndReconciler } from '../../src/source/end-reconciler.ts';
import { settled } from '../support/app.ts';
import { content } from '../support/content.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { until } from '../support/wait.ts';
import { foldLog } from './fold.ts';
import type { RequestFault } from './http-server.ts';
import { createRig as createRigOn, type Faults, type RigOptions } from './rig.ts';
import { expectNoUnhandledRejections } from './unhandled-rejections.ts';

expectNoUnhandledRejections();
afterEach(() => void vi.useRealTimers());

const REQUEST_FAULTS: RequestFault[] = ['not sent', 'response lost', 'no response', 'late'];

describe.each(['direct', 'http'] as const)('over the transport %s:', (transport) => {
  const isDirect = transport === 'direct';
  const createRig = (limits: Partial<PublisherLimits> = {}, options: RigOptions = {}) =>
    createRigOn(limits, { transport, ...options });
  /** A case of a run that keeps its row itself. */
  const testDirect = (name: string, run: () => Promise<void>, timeoutMs?: number) => {
    if (isDirect) test(name, run, timeoutMs);
  };

  describe('lost responses', () => {
    test('lost responses duplicate nothing and lose nothing', async () => {
      const fault = fc.constantFrom<Faults['appends'][number]>('fail', 'append and fail', 'append and hang');
      await fc.assert(
        fc.asyncProperty(
          fc.array(fault, { maxLength: 4 }),
          fc.array(fc.string({ minLength: 1 }), { maxLength: 6 }),
          async (appends, texts) => {
            const { publisher, log } = createRig({ callMs: 20, batchMs: 0 });
            const run = await publisher.begin({ kind: 'agent', id: 'a1' });
            log.faults.appends = [...appends];
            for (const text of texts) {
              run.text(text);
              await new Promise((resolve) => setTimeout(resolve, 2));
            }
            expect(await run.complete()).toBe(true);
            const { text, types, resets } = await foldLog(log.real, 'a1');
            expect(text).toBe(texts.join(''));
            expect(resets).toEqual([]);
            expect(types.filter((type) => type !== 'llm_chunk')).toEqual(['agent_start', 'complete']);
          },
        ),
        { numRuns: propertyRuns(25) },
      );
    }, 60_000);

    testDirect(
      'after a lost response, the same batch is sent again unchanged, under the same id',
      async () => {
        const { publisher, log } = createRig({ batchMs: 0 });
        const run = await publisher.begin({ kind: 'agent', id: 'a1' });
        await until(() => run.stats.appended === 1);
        log.faults.appends = ['fail', 'append and fail'];
        run.text('a');
        await until(() => log.requests.length === 2);
        run.text('b');
        await run.complete();
        const [first, second, third] = log.requests.slice(1);
        expect([second, third]).toEqual([first, first]);
        expect((await foldLog(log.real, 'a1')).chunks).toEqual(['a', 'b']);
      },
    );
  });

  describe('an unavailable log', () => {
    test.each([['isAway'], ['hangs']] as const)(
      'a run begins while the log is unavailable (%s), and its events are appended later',
      async (how) => {
        const { publisher, log } = createRig({ callMs: 50 });
        log.faults[how] = true;
        const from = performance.now();
        const run = await publisher.begin({ kind: 'agent', id: 'a1' });
        expect(performance.now() - from).toBeLessThan(1_000);
        await run.text('held');
        log.faults[how] = false;
        await run.complete();
        expect((await foldLog(log.real, 'a1')).types).toEqual(['agent_start', 'llm_chunk', 'complete']);
      },
    );

    test('memory and blocking stay limited with a fast producer, and the text is complete afterwards', async () => {
      const { publisher, log, logger } = createRig({
        outboxBytes: 40_000,
        highWaterBytes: 20_000,
        blockMs: 50,
      });
      const run = await publisher.begin({ kind: 'agent', id: 'a1' });
      run.text('start ');
      await until(() => run.stats.appended === 2);
      log.faults.isAway = true;
      let text = 'start ';
      let most = 0;
      const from = performance.now();
      for (let i = 0; i < 300; i++) {
        const piece = `${i} ${'x'.repeat(990)} `;
        text += piece;
        await run.text(piece);
        if (i % 10 === 0) run.toolCall({ toolCallId: `t${i}`, toolName: 'n', status: 'started' });
        most = Math.max(most, run.stats.queuedBytes);
      }
      // Calls wait blockMs once per outage, not once each.
      expect(performance.now() - from).toBeLessThan(1_000);
      expect(most).toBeLessThan(45_000);
      log.faults.isAway = false;
      await run.text('end');
      await run.complete();
      const folded = await foldLog(log.real, 'a1');
      expect(folded.text).toBe(`${text}end`);
      expect(folded.resets).toEqual(['overflow']);
      expect(run.stats.dropped).toBeGreaterThan(15);
      expect(logger.lines.find(({ message }) => message.startsWith('outbox full'))!.fields).toMatchObject({
        lost: expect.any(Number),
      });
      expect(folded.types.filter((type) => type === 'agent_start')).toHaveLength(1);
    });

    test('an outbox that overflows before the log is open still sends the start event first', async () => {
      const { publisher, log } = createRig({ outboxBytes: 10_000 });
      log.faults.isAway = true;
      const run = await publisher.begin({ kind: 'agent', id: 'a1', mode: 'STRUCTURED' });
      for (let i = 0; i < 100; i++) await run.value({ i, filler: 'x'.repeat(1_000) + i });
      log.faults.isAway = false;
      await run.complete();
      const folded = await foldLog(log.real, 'a1');
      expect(folded.types).toEqual(['agent_start', 'reset', 'structured_delta', 'complete']);
      expect(folded.value).toEqual({ i: 99, filler: `${'x'.repeat(1_000)}99` });
    });

    test('a text longer than heldTextBytes loses its beginning, which PREFIX_LOST reports', async () => {
      const { publisher, log } = createRig({ outboxBytes: 5_000, heldTextBytes: 3_000 });
      const run = await publisher.begin({ kind: 'agent', id: 'a1' });
      log.faults.isAway = true;
      const text = Array.from({ length: 2_000 }, (_, i) => `${i} 漢`).join('');
      for (const piece of text.match(/.{1,100}/gsu)!) await run.text(piece);
      log.faults.isAway = false;
      await run.complete();
      const { warnings, text: folded, ends } = await foldLog(log.real, 'a1');
      expect(warnings).toEqual(['PREFIX_LOST']);
      expect(text.endsWith(folded)).toBe(true);
      expect(folded.length).toBeGreaterThan(1_000);
      expect(ends[0]!.data).toMatchObject({ result: text });
    });

    testDirect(
      'complete() resolves within endMs while the log is unavailable, the row ends, and the event is appended later',
      async () => {
        const { publisher, log, store } = createRig({ endMs: 200 });
        const run = await publisher.begin({ kind: 'agent', id: 'a1' });
        log.faults.isAway = true;
        run.text('last text');
        const from = performance.now();
        expect(await run.complete()).toBe(false);
        expect(performance.now() - from).toBeLessThan(1_000);
        expect(run.state).toBe('ending');
        await until(async () => (await store.get('a1'))!.status === 'SUCCESS');
        log.faults.isAway = false;
        await until(() => run.state === 'ended');
        expect((await foldLog(log.real, 'a1')).types).toEqual(['agent_start', 'llm_chunk', 'complete']);
        expect((await store.get('a1'))!.end).toMatchObject({ seq: 3 });
      },
    );
  });

  describe('a lost log', () => {
    test.each(['TEXT', 'STRUCTURED'] as const)(
      '%s: a new epoch gets the complete content, with events queued',
      async (mode) => {
        const { publisher, log } = createRig({ batchMs: 0 });
        const run = await publisher.begin({ kind: 'agent', id: 'a1', mode });
        const say = (n: number) =>
          mode === 'TEXT' ? run.text(`${n} `) : run.value({ n, all: Array(n).fill(n) });
        for (let n = 0; n < 3; n++) {
          say(n);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        log.faults.isAway = true;
        say(3);
        run.toolCall({ toolCallId: 't1', toolName: 'n', status: 'started' });
        say(4);
        await new Promise((resolve) => setTimeout(resolve, 20));
        log.lose();
        say(5);
        log.faults.isAway = false;
        await run.complete();
        const folded = await foldLog(log.real, 'a1');
        expect(folded.resets).toEqual(['log_lost']);
        if (mode === 'TEXT') {
          expect(folded.text).toBe('0 1 2 3 4 5 ');
          const kinds = folded.types.filter((type, i) => type !== folded.types[i - 1]);
          expect(kinds).toEqual(['reset', 'agent_start', 'llm_chunk', 'tool_call', 'llm_chunk', 'complete']);
        } else {
          expect(folded.value).toEqual({ n: 5, all: Array(5).fill(5) });
          expect(folded.types).toEqual(['reset', 'agent_start', 'structured_delta', 'tool_call', 'complete']);
        }
      },
    );

    test('a log lost after an overflow and a lost response gets the complete text', async () => {
      const { publisher, log } = createRig({ batchMs: 0, outboxBytes: 3_000 });
      const run = await publisher.begin({ kind: 'agent', id: 'a1' });
      run.text('first ');
      await until(() => run.stats.appended === 2);
      const sent = log.requests.length;
      log.faults.appends = ['append and fail'];
      run.text('in flight ');
      run.warning('W', 'in flight');
      await until(() => log.requests.length === sent + 1);
      log.faults.isAway = true;
      let text = 'first in flight ';
      for (let i = 0; i < 100; i++) {
        const piece = `${i}${'y'.repeat(100)}`;
        text += piece;
        await run.text(piece);
      }
      log.lose();
      log.faults.isAway = false;
      await run.complete();
      const folded = await foldLog(log.real, 'a1');
      expect(folded.resets).toEqual(['log_lost']);
      expect(folded.text).toBe(text);
      expect(folded.types.filter((type) => type === 'agent_start')).toHaveLength(1);
    });

    test('text and value are complete after any order of content, events, outages, losses and lost responses', async () => {
      const step = fc.oneof(
        { weight: 6, arbitrary: fc.string({ minLength: 1, maxLength: 300, unit: 'binary' }) },
        fc.constantFrom(
          '!event',
          '!event',
          '!outage',
          '!recovery',
          '!lose',
          '!lose',
          '!fail',
          ...(isDirect ? [] : REQUEST_FAULTS.map((fault) => `!request ${fault}`)),
          '!response lost',
          '!wait',
          '!wait',
        ),
      );
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { maxLength: 40 }),
          fc.constantFrom('TEXT', 'STRUCTURED'),
          async (steps, mode) => {
            vi.useFakeTimers();
            const limits = { outboxBytes: 1_500, endMs: 60_000, wholeValueEvery: 4 };
            const { publisher, log, server } = createRig(limits);
            const begun = publisher.begin({ kind: 'agent', id: 'a1', mode: mode as 'TEXT' });
            const run = await withFakeTime(begun);
            let text = '';
            let events = 0;
            for (const each of steps) {
              if (each === '!event') {
                run.warning('W', `w${events}`);
                events += 1;
              } else if (each === '!outage') log.faults.isAway = true;
              else if (each === '!recovery') log.faults.isAway = false;
              else if (each === '!lose') log.lose();
              else if (each.startsWith('!request ')) server.faults.push(each.slice(9) as RequestFault);
              else if (each === '!fail') log.faults.appends.push('fail');
              else if (each === '!response lost') log.faults.appends.push('append and fail');
              else if (each === '!wait') await vi.advanceTimersByTimeAsync(30);
              else {
                text += each;
                if (mode === 'TEXT') run.text(each);
                else run.value({ text: each, list: [...each].slice(0, 5) });
              }
            }
            log.faults.isAway = false;
            const last = steps.filter((s) => !s.startsWith('!')).at(-1);
            expect(await withFakeTime(run.complete(), 100)).toBe(true);
            vi.useRealTimers();
            const folded = await foldLog(log.real, 'a1');
            if (mode === 'TEXT') expect(folded.text).toBe(text);
            else if (last !== undefined)
              expect(folded.value).toEqual({ text: last, list: [...last].slice(0, 5) });
            expect(folded.ends).toHaveLength(1);
            expect(folded.types.filter((type) => type === 'agent_start')).toHaveLength(1);
            // Events are lost only by an overflow, which counts them, or by a loss of the log, and never duplicated.
            const warnings = folded.events.flatMap((e) =>
              e.type === 'warning' && e.data.code === 'W' ? [e.data.message] : [],
            );
            expect(new Set(warnings).size).toBe(warnings.length);
            if (!steps.includes('!lose')) expect(warnings.length + run.stats.dropped).toBe(events);
          },
        ),
        { numRuns: propertyRuns(300) },
      );
    }, 120_000);
  });

  describe('an execution that another attempt or publisher has', () => {
    test('a new attempt supersedes a run: its signal aborts, later calls are counted, and it is logged once', async () => {
      const { publisher, log, logger, store } = createRig();
      const first = await publisher.begin({ kind: 'agent', id: 'a1' });
      await until(() => first.stats.appended === 1);
      const second = await publisher.begin({ kind: 'agent', id: 'a1' });
      first.text('too late');
      await until(() => first.state === 'superseded');
      expect(first.signal.reason).toMatchObject({ name: 'ExecstreamError', code: 'SUPERSEDED' });
      await first.text('still');
      expect(await first.complete('mine')).toBe(false);
      expect(first.stats.late).toBe(2);
      expect(logger.lines.filter(({ message }) => message.startsWith('publishing stopped'))).toHaveLength(1);
      await second.complete('theirs');
      const { ends, text } = await foldLog(log.real, 'a1');
      expect(ends).toMatchObject([{ data: { result: 'theirs' } }]);
      expect(text).toBe('');
      expect((await store.get('a1'))!.result).toBe('theirs');
    });

    test('a run superseded on the row only appends no terminal event', async () => {
      const { publisher, log, store } = createRig();
      const run = await publisher.begin({ kind: 'agent', id: 'a1' });
      await store.begin({ kind: 'agent', id: 'a1', mode: 'TEXT' });
      expect(await run.complete('mine')).toBe(false);
      expect(run.state).toBe('superseded');
      expect((await foldLog(log.real, 'a1')).ends).toEqual([]);
    });

    test('the signal aborts with ENDED when another process ends the execution', async () => {
      const { publisher, log } = createRig();
      const run = await publisher.begin({ kind: 'agent', id: 'a1' });
      await until(() => run.stats.appended === 1);
      const { epoch, head } = (await log.real.head('a1'))!;
      const data = { status: 'CANCELED', message: 'by an operator', durationMs: 1 } as const;
      await log.real.append('a1', {
        epoch,
        acknowledged: head,
        events: [{ type: 'error', ts: new Date().toISOString(), data }],
      });
      run.text('more');
      await until(() => run.signal.aborted);
      expect(run.signal.reason).toMatchObject({ code: 'ENDED' });
      expect(run.state).toBe('ended');
      await run.complete();
      expect((await foldLog(log.real, 'a1')).ends).toHaveLength(1);
    });

    testDirect(
      'an end that another process appends first counts as success, and the row gets its position',
      async () => {
        const { publisher, log, store } = createRig();
        const run = await publisher.begin({ kind: 'agent', id: 'a1' });
        await until(() => run.stats.appended === 1);
        const { finish } = store;
        store.finish = async (id, attempt, end) => {
          const row = await finish(id, attempt, end);
          // A server appends the terminal event from the row before this publisher does.
          const { epoch, head } = (await log.real.head('a1'))!;
          const data = { status: 'SUCCESS', durationMs: 1 } as const;
          await log.real.append('a1', {
            epoch,
            acknowledged: head,
            events: [{ type: 'complete', ts: '2030-01-01T00:00:00.000Z', data }],
          });
          return row;
        };
        expect(await run.complete('x')).toBe(true);
        expect(run.signal.aborted).toBe(false);
        expect((await foldLog(log.real, 'a1')).ends).toHaveLength(1);
        expect((await store.get('a1'))!.end).toMatchObject({ seq: 2 });
      },
    );

    testDirect(
      'a run does not abort if a server appends the rest of its text after it has ended the row',
      async () => {
        const { publisher, log, store } = createRig({ endMs: 200 });
        const run = await publisher.begin({ kind: 'agent', id: 'a1' });
        await until(() => run.stats.appended === 1);
        log.faults.isAway = true;
        run.text('last text');
        expect(await run.complete()).toBe(false);
        await until(async () => (await store.get('a1'))!.status === 'SUCCESS');
        const reconcileEnd = createEndReconciler({ log: log.real, store, content, graceMs: 0 }).reconcileEnd;
        await reconcileEnd((await store.get('a1'))!);
        log.faults.isAway = false;
        await until(() => run.state === 'ended');
        expect(run.signal.aborted).toBe(false);
        expect((await foldLog(log.real, 'a1')).types).toEqual(['agent_start', 'llm_chunk', 'complete']);
      },
    );

    test('a run is rejected if the log belongs to a source', async () => {
      const { publisher, log } = createRig({}, { strict: true });
      await log.real.open('a1', { numbering: 'fixed', attempt: 1 });
      await expect(publisher.begin({ kind: 'agent', id: 'a1' })).rejects.toMatchObject({
        code: 'SUPERSEDED',
      });
    });
  });

  describe('an unavailable store', () => {
    test('a run begins while the store is unavailable, and loses nothing that is published in the meantime', async () => {
      const { publisher, log, store } = createRig();
      store.isAway = true;
      const run = await publisher.begin({ kind: 'agent', id: 'a1' });
      expect(run.attempt).toBeUndefined();
      await run.text('held');
      run.status('WAITING');
      store.isAway = false;
      await until(async () => (await store.get('a1'))?.status === 'WAITING');
      expect(run.attempt).toBe(1);
      await run.complete();
      expect((await foldLog(log.real, 'a1')).text).toBe('held');
    });

    test('a run stops when the store rejects it later', async () => {
      const { publisher, store } = createRig({ beginMs: 20 });
      await store.begin({ kind: 'agent', id: 'a1', mode: 'TEXT', attempt: 5 });
      store.isAway = true;
      const run = await publisher.begin({ kind: 'agent', id: 'a1', attempt: 4 });
      store.isAway = false;
      await until(() => run.signal.aborted);
      expect(run.signal.reason).toMatchObject({ code: 'SUPERSEDED' });
      expect(run.state).toBe('superseded');
    });

    testDirect('a begin whose response was lost is retried as the same attempt', async () => {
      const { publisher, store } = createRig();
      const { begin } = store;
      let calls = 0;
      store.begin = async (execution) => {
        const row = await begin(execution);
        calls += 1;
        if (calls === 1) throw new ExecstreamError('SOURCE_UNAVAILABLE', 'the response was lost');
        return row;
      };
      const run = await publisher.begin({ kind: 'agent', id: 'a1' });
      expect(run.attempt).toBe(1);
      expect(calls).toBe(2);
    });

    testDirect(
      'no terminal event is appended before the row has ended, however long that takes',
      async () => {
        const { publisher, log, store } = createRig({ endMs: 100 });
        const run = await publisher.begin({ kind: 'agent', id: 'a1' });
        run.text('all');
        store.isAway = true;
        expect(await run.complete()).toBe(false);
        expect((await foldLog(log.real, 'a1')).types).toEqual(['agent_start', 'llm_chunk']);
        store.isAway = false;
        await until(() => run.state === 'ended');
        expect((await foldLog(log.real, 'a1')).ends).toHaveLength(1);
        expect((await store.get('a1'))!.end).toMatchObject({ seq: 3 });
      },
    );
  });

  testDirect(
    'close() resolves within closeMs while log and store are unavailable, and leaves no timer',
    async () => {
      vi.useFakeTimers();
      const { publisher, log, store, logger } = createRig({ closeMs: 300, beginMs: 50 });
      log.faults.hangs = true;
      const first = publisher.begin({ kind: 'agent', id: 'a1' });
      await vi.advanceTimersByTimeAsync(60);
      await first;
      store.isAway = true;
      const second = publisher.begin({ kind: 'agent', id: 'a2' });
      await vi.advanceTimersByTimeAsync(60);
      void (await second).complete('x');
      (await first).text('x');
      const closed = publisher.close();
      await vi.advanceTimersByTimeAsync(300);
      await closed;
      // The remaining timer is the timeout of complete(), which has no effect any more.
      await vi.advanceTimersByTimeAsync(3_000);
      expect(vi.getTimerCount()).toBe(0);
      expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    },
  );
});

/** Lets fake time pass until a promise settles. */
async function withFakeTime<T>(promise: Promise<T>, stepMs = 1): Promise<T> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  promise.then(settle, settle);
  while (!isSettled) {
    await vi.advanceTimersByTimeAsync(stepMs);
    await settled(1);
  }
  return promise;
}
