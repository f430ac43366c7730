// Row and log that fail, hang, lose answers, lose themselves or belong to another: the work is never failed nor held
// up beyond a bound, and what viewers end up with is whole (ARCHITECTURE.md, invariants 3, 6, 11 and 13).
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import { createEndReconciler } from '../../src/source/end-reconciler.ts';
import { content } from '../support/content.ts';
import { until } from '../support/wait.ts';
import { foldLog } from './fold.ts';
import { createRig, type Faults } from './rig.ts';

const unhandled: unknown[] = [];
process.on('unhandledRejection', (reason) => unhandled.push(reason));

afterEach(() => {
  vi.useRealTimers();
  expect(unhandled).toEqual([]);
});

describe('answers that get lost', () => {
  test('double nothing and lose nothing, whichever they are', async () => {
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
      { numRuns: 25 },
    );
  }, 60_000);

  test('make the same batch go out again unchanged, under the same id', async () => {
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
  });
});

describe('a log that is away', () => {
  test.each([['isAway'], ['hangs']] as const)(
    '(%s) does not keep a run from beginning, and is caught up with',
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

  test('under a fast producer keeps memory and blocking bounded, and the text is whole again', async () => {
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
    // One wait of blockMs for the whole outage, not one a call.
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

  test('before its first answer overflows as well, and the start event still comes first', async () => {
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

  test('costs the beginning of a text above what is held: PREFIX_LOST and the end of it', async () => {
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

  test('at the end: complete resolves within its bound, the row is final, and the event comes later', async () => {
    const { publisher, log, store } = createRig({ endMs: 200 });
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    log.faults.isAway = true;
    run.text('last words');
    const from = performance.now();
    expect(await run.complete()).toBe(false);
    expect(performance.now() - from).toBeLessThan(1_000);
    expect(run.state).toBe('ending');
    await until(async () => (await store.get('a1'))!.status === 'SUCCESS');
    log.faults.isAway = false;
    await until(() => run.state === 'ended');
    expect((await foldLog(log.real, 'a1')).types).toEqual(['agent_start', 'llm_chunk', 'complete']);
    expect((await store.get('a1'))!.end).toMatchObject({ seq: 3 });
  });
});

describe('a log that is lost', () => {
  test.each(['TEXT', 'STRUCTURED'] as const)(
    '%s: begins anew and is whole, with things queued',
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

  test('lost after an overflow was noticed, or with an answer lost, is whole too', async () => {
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

  test('any order of text, events, outages, losses and lost answers leaves text and value whole', async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.string({ minLength: 1, maxLength: 300, unit: 'binary' }) },
      fc.constantFrom(
        '!event',
        '!event',
        '!away',
        '!back',
        '!lose',
        '!lose',
        '!fail',
        '!answer lost',
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
          const { publisher, log } = createRig({ outboxBytes: 1_500, endMs: 60_000, wholeValueEvery: 4 });
          const begun = publisher.begin({ kind: 'agent', id: 'a1', mode: mode as 'TEXT' });
          await vi.advanceTimersByTimeAsync(1);
          const run = await begun;
          let text = '';
          let events = 0;
          for (const each of steps) {
            if (each === '!event') {
              run.warning('W', `w${events}`);
              events += 1;
            } else if (each === '!away') log.faults.isAway = true;
            else if (each === '!back') log.faults.isAway = false;
            else if (each === '!lose') log.lose();
            else if (each === '!fail') log.faults.appends.push('fail');
            else if (each === '!answer lost') log.faults.appends.push('append and fail');
            else if (each === '!wait') await vi.advanceTimersByTimeAsync(30);
            else {
              text += each;
              if (mode === 'TEXT') run.text(each);
              else run.value({ text: each, list: [...each].slice(0, 5) });
            }
          }
          log.faults.isAway = false;
          const last = steps.filter((s) => !s.startsWith('!')).at(-1);
          const done = run.complete();
          await vi.advanceTimersByTimeAsync(30_000);
          expect(await done).toBe(true);
          vi.useRealTimers();
          const folded = await foldLog(log.real, 'a1');
          if (mode === 'TEXT') expect(folded.text).toBe(text);
          else if (last !== undefined)
            expect(folded.value).toEqual({ text: last, list: [...last].slice(0, 5) });
          expect(folded.ends).toHaveLength(1);
          expect(folded.types.filter((type) => type === 'agent_start')).toHaveLength(1);
          // Events are lost only where an outage (counted) or a loss of the log took them, and never doubled.
          const told = folded.events.flatMap((e) =>
            e.type === 'warning' && e.data.code === 'W' ? [e.data.message] : [],
          );
          expect(new Set(told).size).toBe(told.length);
          if (!steps.includes('!lose')) expect(told.length + run.stats.dropped).toBe(events);
        },
      ),
      { numRuns: 300 },
    );
  }, 120_000);
});

describe('another one has the execution', () => {
  test('a new attempt supersedes: the signal aborts, later calls are counted, it is logged once', async () => {
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

  test('superseded on the row alone: no terminal event is told', async () => {
    const { publisher, log, store } = createRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    await store.begin({ kind: 'agent', id: 'a1', mode: 'TEXT' });
    expect(await run.complete('mine')).toBe(false);
    expect(run.state).toBe('superseded');
    expect((await foldLog(log.real, 'a1')).ends).toEqual([]);
  });

  test('ended elsewhere while it runs: the signal aborts with ENDED', async () => {
    const { publisher, log } = createRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    await until(() => run.stats.appended === 1);
    const { epoch, head } = (await log.real.head('a1'))!;
    const data = { status: 'CANCELED', message: 'by hand', durationMs: 1 } as const;
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

  test('ended elsewhere while it ends: once, and the row gets where', async () => {
    const { publisher, log, store } = createRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    await until(() => run.stats.appended === 1);
    const { finish } = store;
    store.finish = async (id, attempt, end) => {
      const row = await finish(id, attempt, end);
      // A server tells the end from the row before this publisher does.
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
  });

  test('the rest told by a server that thought it dead, behind its own end of the row: no reason to abort', async () => {
    const { publisher, log, store } = createRig({ endMs: 200 });
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    await until(() => run.stats.appended === 1);
    log.faults.isAway = true;
    run.text('last words');
    expect(await run.complete()).toBe(false);
    await until(async () => (await store.get('a1'))!.status === 'SUCCESS');
    const reconcileEnd = createEndReconciler({ log: log.real, store, content, graceMs: 0 });
    await reconcileEnd((await store.get('a1'))!);
    log.faults.isAway = false;
    await until(() => run.state === 'ended');
    expect(run.signal.aborted).toBe(false);
    expect((await foldLog(log.real, 'a1')).types).toEqual(['agent_start', 'llm_chunk', 'complete']);
  });

  test('a log that a source writes is refused', async () => {
    const { publisher, log } = createRig();
    await log.real.open('a1', { numbering: 'fixed', attempt: 1 });
    await expect(publisher.begin({ kind: 'agent', id: 'a1' })).rejects.toMatchObject({ code: 'SUPERSEDED' });
  });
});

describe('a store that is away', () => {
  test('does not keep a run from beginning; what is published meanwhile is not lost', async () => {
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

  test('that refuses only later stops the run then', async () => {
    const { publisher, store } = createRig({ beginMs: 20 });
    await store.begin({ kind: 'agent', id: 'a1', mode: 'TEXT', attempt: 5 });
    store.isAway = true;
    const run = await publisher.begin({ kind: 'agent', id: 'a1', attempt: 4 });
    store.isAway = false;
    await until(() => run.signal.aborted);
    expect(run.signal.reason).toMatchObject({ code: 'SUPERSEDED' });
    expect(run.state).toBe('superseded');
  });

  test('and that began though its answer got lost is not begun as another attempt', async () => {
    const { publisher, store } = createRig();
    const { begin } = store;
    let calls = 0;
    store.begin = async (execution) => {
      const row = await begin(execution);
      calls += 1;
      if (calls === 1) throw new ExecstreamError('SOURCE_UNAVAILABLE', 'the answer got lost');
      return row;
    };
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    expect(run.attempt).toBe(1);
    expect(calls).toBe(2);
  });

  test('at the end: no terminal event before the row is final, however long it takes', async () => {
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
  });
});

test('close with log and store away resolves within its bound and leaves no timer', async () => {
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
  // The bound of complete() is the one that is left; it fires into nothing.
  await vi.advanceTimersByTimeAsync(3_000);
  expect(vi.getTimerCount()).toBe(0);
  expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
});
