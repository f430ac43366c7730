// The calls of a run: what each returns and logs when it publishes, when it comes too late, and when it is wrong.
import { describe, expect, test, vi } from 'vitest';
import { sizeLimitsOf } from '../../src/event/size-limits.ts';
import { createNoopRun } from '../../src/publish/noop-run.ts';
import type { ExecutionPublisher } from '../../src/worker.ts';
import { foldLog } from './fold.ts';
import { createRig } from './rig.ts';

const CALL = { toolCallId: 't', toolName: 'n', status: 'started' } as const;
const USAGE = { inputTokens: 1, outputTokens: 2, totalTokens: 3 };
const CALLS: [string, (run: ExecutionPublisher) => Promise<unknown>][] = [
  ['text', (run) => run.text('late')],
  ['simulateText', (run) => run.simulateText('late')],
  ['toolCall', (run) => run.toolCall(CALL)],
  ['status', (run) => run.status('PAUSED')],
  ['usage', (run) => run.usage(USAGE)],
  ['warning', (run) => run.warning('W', 'late')],
  ['emit', (run) => run.emit('custom', { name: 'late' } as never)],
];

async function begin(wanted = {}, limits = {}) {
  const rig = createRig(limits);
  const run = await rig.publisher.begin({ kind: 'agent', id: 'a1', ...wanted });
  return { ...rig, run, fold: () => foldLog(rig.log.real, 'a1') };
}

describe('a call after the end', () => {
  test.each(CALLS)('%s() publishes nothing, is counted, and changes nothing', async (_, call) => {
    const { run, store, fold, logger } = await begin();
    expect(await run.complete('done')).toBe(true);
    const row = await store.get('a1');
    expect(await call(run)).toBe(false);
    expect(run.stats).toMatchObject({ late: 1, rejected: 0 });
    expect((await fold()).types).toEqual(['agent_start', 'complete']);
    expect(await store.get('a1')).toEqual(row);
    expect(logger.lines).toEqual([]);
  });

  test('value() and abandon() publish nothing, and are counted', async () => {
    const { run, fold } = await begin({ mode: 'STRUCTURED' });
    await run.complete({ a: 1 });
    expect(await run.value({ a: 2 })).toBe(false);
    await run.abandon(new Error('late'));
    expect(run.stats.late).toBe(2);
    expect((await fold()).types).toEqual(['agent_start', 'complete']);
  });

  test('the rest of a simulated text is one late call', async () => {
    const { run, fold } = await begin();
    const texts = run.simulateText('one\ntwo\nsix\n', { delayMs: 1_000, maxChars: 4 });
    await run.complete('done');
    expect(await texts).toBe(false);
    expect(run.stats.late).toBe(1);
    expect((await fold()).text).toBe('one\n');
  });
});

describe('text', () => {
  test('an iterable of which a part was not published returns false, and the rest is published', async () => {
    const { run, fold } = await begin();
    const texts = async function* () {
      yield* ['a', 7 as never, 'b'];
    };
    expect(await run.text(texts())).toBe(false);
    await run.complete();
    expect((await fold()).text).toBe('ab');
  });

  test('a simulated text without a delay is published immediately', async () => {
    const { run, fold } = await begin();
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    const published = run.simulateText('one\ntwo\n', { delayMs: 0, maxChars: 4 });
    vi.useRealTimers();
    expect(await published).toBe(true);
    await run.complete();
    expect((await fold()).chunks).toEqual(['one\n', 'two\n']);
  });

  test.each([
    ['text()', (run: ExecutionPublisher) => run.text('x'), 'expected a run of mode TEXT, got STRUCTURED'],
    ['simulateText()', (run: ExecutionPublisher) => run.simulateText('x'), 'expected a run of mode TEXT'],
  ])('%s of a structured run is rejected with its name', async (name, call, message) => {
    const { run, logger } = await begin({ mode: 'STRUCTURED' });
    expect(await call(run)).toBe(false);
    expect(logger.lines).toMatchObject([
      {
        level: 'error',
        message: `${name} rejected: nothing was published, and the work continues`,
        fields: { executionId: 'a1', err: { message: expect.stringContaining(`${name}: ${message}`) } },
      },
    ]);
  });

  test('of another type than a string is rejected with the type', async () => {
    const { run, logger } = await begin();
    expect([await run.text(7 as never), await run.simulateText(null as never)]).toEqual([false, false]);
    expect(logger.lines.map(({ fields }) => (fields as { err: Error }).err.message)).toEqual([
      'text(): expected a string, got number',
      'simulateText(): expected a string, got object',
    ]);
  });

  test('of a workflow is rejected', async () => {
    const { run, logger } = await begin({ kind: 'workflow' });
    expect(await run.value({ a: 1 })).toBe(false);
    const message = 'value(): expected an agent or a task; a workflow has no text and no value';
    expect(logger.lines).toMatchObject([{ fields: { err: { message } } }]);
  });
});

describe('value', () => {
  test('undefined publishes nothing, without an error', async () => {
    const { run, logger } = await begin({ mode: 'STRUCTURED' });
    expect(await run.value(undefined as never)).toBe(false);
    expect(run.stats).toMatchObject({ late: 0, rejected: 0 });
    expect(logger.lines).toEqual([]);
  });
});

describe('status and usage', () => {
  test('a status that repeats the last one is published, but not written to the row again', async () => {
    const { run, store, fold } = await begin();
    const setStatus = vi.spyOn(store, 'setStatus');
    for (const status of ['RUNNING', 'WAITING', 'WAITING', 'RUNNING'] as const) {
      expect(await run.status(status, 'step')).toBe(true);
      await run.flush();
      await vi.waitFor(async () => expect((await store.get('a1'))!.status).toBe(status));
    }
    expect(setStatus.mock.calls.map(([, , status]) => status)).toEqual(['WAITING', 'RUNNING']);
    await run.complete();
    const { events } = await fold();
    expect(events[1]).toMatchObject({ type: 'agent_status', data: { status: 'RUNNING', step: 'step' } });
    expect(events).toHaveLength(6);
  });

  test('the status of a workflow has the usage, if there is any', async () => {
    const { run, fold } = await begin({ kind: 'workflow' });
    await run.status('WAITING');
    expect(await run.usage(USAGE)).toBe(true);
    await run.complete();
    const [, first, second] = (await fold()).events;
    expect([first!.data, second!.data]).toEqual([{ status: 'WAITING' }, { status: 'WAITING', usage: USAGE }]);
  });

  test('usage without any count is not published, and not late', async () => {
    const { run } = await begin();
    expect(await run.usage({} as never)).toBe(false);
    expect(run.stats.late).toBe(0);
    expect(await run.usage(USAGE)).toBe(true);
  });

  test('another status than one of an open execution names those', async () => {
    const { run, logger } = await begin();
    expect(await run.status('DONE' as never)).toBe(false);
    const message =
      'status: expected PENDING, RUNNING, WAITING, PAUSED, got DONE; call complete() or fail() to end the run';
    expect(logger.lines).toMatchObject([{ fields: { err: { message } } }]);
  });
});

describe('the end', () => {
  test.each([
    [undefined, 'FAILED', []],
    ['CANCELED', 'CANCELED', []],
    ['TIMED_OUT', 'TIMED_OUT', []],
    ['TERMINATED', 'TERMINATED', []],
    ['SUCCESS', 'FAILED', ['logged']],
    ['RUNNING', 'FAILED', ['logged']],
    [7, 'FAILED', ['logged']],
  ])('fail() with the status %j ends as %s', async (status, expected, logged) => {
    const { run, store, logger } = await begin();
    expect(await run.fail(new Error('no'), { status } as never)).toBe(true);
    expect(await store.get('a1')).toMatchObject({ status: expected, error: { message: 'no' } });
    const message = 'fail(): expected the status FAILED, CANCELED, TIMED_OUT or TERMINATED; ending as FAILED';
    const lines = logged.map(() => ({ level: 'error', message, fields: { executionId: 'a1' } }));
    expect(logger.lines).toEqual(lines);
  });

  test.each([
    [{ code: 'E_OWN' }, 'E_OWN'],
    [{ code: 7 }, '7'],
    [{}, 'E_ERROR'],
  ])('fail() with %j has the code %s', async (how, code) => {
    const { run, store } = await begin();
    await run.fail(Object.assign(new Error('no'), { code: 'E_ERROR' }), how as never);
    expect((await store.get('a1'))!.error).toEqual({ message: 'no', code });
  });

  test('a result that is not JSON is left out, and the log says why', async () => {
    const { run, store, logger } = await begin();
    await run.text('text');
    const result: { itself?: unknown } = {};
    result.itself = result;
    expect(await run.complete(result)).toBe(true);
    expect(await store.get('a1')).toMatchObject({ status: 'SUCCESS', resultOmitted: true });
    expect(logger.lines).toEqual([
      {
        level: 'error',
        message: 'result is not JSON; ending without it',
        fields: { executionId: 'a1', err: expect.any(Error) },
      },
    ]);
  });

  test('a workflow without a result has none, and omits none', async () => {
    const { run, store } = await begin({ kind: 'workflow' });
    await run.complete();
    const row = (await store.get('a1'))!;
    expect([row.status, row.result, row.resultOmitted]).toEqual(['SUCCESS', undefined, undefined]);
  });

  test('a long error of an abandoned attempt is cut to half of a part', async () => {
    const { run, fold } = await begin({}, { closeMs: 3_000 });
    await run.abandon(new Error('x'.repeat(1e6)));
    const [, warning] = (await fold()).events;
    const message = `${'x'.repeat(sizeLimitsOf().part / 2)}…`;
    expect(warning).toMatchObject({ type: 'warning', data: { code: 'ATTEMPT_FAILED', message } });
  });
});

describe('a run that publishes nothing', () => {
  const noop = (isEndRecorded = true) =>
    createNoopRun({
      id: 'a1',
      kind: 'agent',
      mode: 'TEXT',
      attempt: undefined,
      state: 'rejected',
      isEndRecorded,
    });

  test('returns false from every call, and counts them as late', async () => {
    const run = noop();
    for (const [, call] of CALLS) expect(await call(run)).toBe(false);
    expect(await run.value({})).toBe(false);
    expect(await run.abandon(new Error('no'))).toBeUndefined();
    expect(run.stats).toEqual({
      appended: 0,
      dropped: 0,
      rejected: 0,
      queuedBytes: 0,
      redacted: {},
      late: CALLS.length + 2,
    });
    expect(await run.flush()).toBe(false);
    expect(run.signal.aborted).toBe(false);
  });

  test.each([true, false])('returns whether its end is recorded (%s)', async (isRecorded) => {
    const run = noop(isRecorded);
    expect([await run.complete(), await run.fail(new Error('no'))]).toEqual([isRecorded, isRecorded]);
    expect(run.stats.late).toBe(2);
  });

  test('reads an iterable to its end', async () => {
    const read: string[] = [];
    const texts = async function* () {
      for (const text of ['a', 'b']) {
        read.push(text);
        yield text;
      }
    };
    expect(await noop().text(texts())).toBe(false);
    expect(read).toEqual(['a', 'b']);
  });
});
