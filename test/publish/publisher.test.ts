// The public API of a run while the store and the log are available: events, order, sizes, ends.
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import type { ExecutionEvent } from '../../src/event/events.ts';
import { jsonBytes } from '../../src/event/json.ts';
import { DEFAULT_SIZE_LIMITS } from '../../src/event/size-limits.ts';
import { MAX_BATCH_BYTES } from '../../src/log/log.ts';
import {
  createPrismaStore,
  createPublisher,
  createRedisLogWriter,
  publishActivity,
} from '../../src/worker.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { until } from '../support/wait.ts';
import { foldLog } from './fold.ts';
import { createRig } from './rig.ts';

afterEach(() => {
  vi.useRealTimers();
});

const coded = (code: string) => expect.objectContaining({ name: 'ExecstreamError', code });

describe('a setting that is missing', () => {
  const configError = (message: RegExp) =>
    expect.objectContaining({ code: 'CONFIG', message: expect.stringMatching(message) });

  test.each<[string, unknown, RegExp]>([
    ['undefined', undefined, /^options: expected \{ log, store \}, got undefined$/],
    ['{}', {}, /^log: expected a log, such as createRedisLogWriter\(\) returns, got undefined$/],
    ['{ log: a URL }', { log: 'redis://localhost' }, /^log: expected a log, .*, got string$/],
    [
      '{ log }',
      { log: {} },
      /^store: expected a store, such as createPrismaStore\(\) returns, got undefined$/,
    ],
  ])('is named by the error of createPublisher(%s)', (_, options, message) => {
    expect(() => createPublisher(options as never)).toThrow(configError(message));
  });

  test('is named by the errors of a log without a URL, a store without one, and an activity without a publisher', async () => {
    const REDIS_URL = undefined as unknown as string;
    const withoutUrl = () => createRedisLogWriter({ redis: REDIS_URL });
    expect(withoutUrl).toThrow(
      configError(/^redis: expected a URL that starts with redis:.*, got undefined$/),
    );
    const withoutOptions = () => createRedisLogWriter(undefined as never);
    expect(withoutOptions).toThrow(configError(/^options: expected \{ redis \}, got undefined$/));
    expect(() => createPrismaStore({ url: REDIS_URL })).toThrow(
      configError(/^url: expected a URL.*undefined$/),
    );
    const activity = publishActivity(undefined as never, { kind: 'agent' }, async () => {});
    await expect(activity).rejects.toThrow(
      configError(/^publisher: expected the publisher .*, got undefined$/),
    );
  });
});

describe('a run', () => {
  test('a run begins with the start event of its kind, ends once, and leaves the row and the log consistent', async () => {
    const { publisher, log, store } = createRig();
    const run = await publisher.begin({
      kind: 'agent',
      id: 'a1',
      mode: 'TEXT',
      agentId: 'writer',
      action: 'draft',
    });
    expect(run).toMatchObject({ id: 'a1', kind: 'agent', mode: 'TEXT', state: 'open', attempt: 1 });
    run.status('RUNNING', 'thinking');
    run.toolCall({
      toolCallId: 't1',
      toolName: 'search',
      status: 'started',
      args: { q: 'x', none: undefined } as never,
    });
    await run.text('Hello ');
    run.text('world');
    run.usage({ inputTokens: 1, outputTokens: 2, totalTokens: 3 });
    expect(await run.complete()).toBe(true);
    expect(run.state).toBe('ended');

    const { events, ends } = await foldLog(log.real, 'a1');
    expect(events.map(({ type, data }) => ({ type, data }))).toEqual([
      { type: 'agent_start', data: { agentId: 'writer', action: 'draft' } },
      { type: 'agent_status', data: { status: 'RUNNING', step: 'thinking' } },
      {
        type: 'tool_call',
        data: { toolCallId: 't1', toolName: 'search', status: 'started', args: { q: 'x' } },
      },
      { type: 'llm_chunk', data: { content: 'Hello world' } },
      {
        type: 'complete',
        data: {
          status: 'SUCCESS',
          result: 'Hello world',
          usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 },
          durationMs: expect.any(Number),
        },
      },
    ]);
    const row = await store.get('a1');
    expect(row).toMatchObject({ status: 'SUCCESS', result: 'Hello world', usage: { totalTokens: 3 } });
    expect(row!.end).toEqual({ seq: 5, epoch: ends[0]!.id.slice(2) });
    const { durationMs } = ends[0]!.data;
    expect(durationMs).toBe(row!.finishedAt!.getTime() - row!.startedAt.getTime());
    expect(await log.real.head('a1')).toMatchObject({ end: 5 });
  });

  test.each([
    [
      { kind: 'workflow', id: 'w', workflowType: 'Plan', runId: 'r1' },
      'workflow_start',
      { workflowId: 'w', workflowType: 'Plan', runId: 'r1' },
    ],
    [{ kind: 'task', id: 't', name: 'sum' }, 'task_start', { taskId: 'sum' }],
    [{ kind: 'agent', id: 'g' }, 'agent_start', { agentId: 'g' }],
  ] as const)('the stream of %j begins with %s', async (begun, type, data) => {
    const { publisher, log } = createRig();
    const run = await publisher.begin(begun);
    await run.complete();
    expect((await foldLog(log.real, begun.id)).events[0]).toMatchObject({ type, data });
  });

  test('a workflow publishes events of its children and usage, and has no text', async () => {
    const { publisher, log } = createRig({}, { strict: true });
    const run = await publisher.begin({ kind: 'workflow', id: 'w1' });
    run.emit('agent_start', { agentId: 'writer', executionId: 'a1' });
    run.emit('task_status', { status: 'SUCCESS', executionId: 't1' });
    run.status('WAITING', 'approval');
    run.usage({ inputTokens: 1, outputTokens: 1, totalTokens: 2 });
    expect(() => run.text('x')).toThrow(coded('BAD_USER_INPUT'));
    expect(() => run.value({})).toThrow(coded('BAD_USER_INPUT'));
    await run.complete({ done: true });
    const { types, events } = await foldLog(log.real, 'w1');
    expect(types).toEqual([
      'workflow_start',
      'agent_start',
      'task_status',
      'workflow_status',
      'workflow_status',
      'complete',
    ]);
    expect(events[4]!.data).toMatchObject({ status: 'WAITING', usage: { totalTokens: 2 } });
    expect(events[5]!.data).toMatchObject({ result: { done: true } });
  });

  test('any text is published completely and in order, in any pieces, between other events', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\r', '\n', '\ud83d', '\ude00', 'EVENT')),
          { maxLength: 20 },
        ),
        async (pieces) => {
          const { publisher, log } = createRig({ batchMs: 0 });
          const run = await publisher.begin({ kind: 'task', id: 't1' });
          for (const piece of pieces) {
            if (piece === 'EVENT') run.warning('W', 'w');
            else run.text(piece);
          }
          await run.complete();
          const { text, ends, events } = await foldLog(log.real, 't1');
          const complete = pieces.filter((piece) => piece !== 'EVENT').join('');
          expect(text).toBe(complete);
          expect(ends[0]).toMatchObject({ type: 'complete', data: { result: complete } });
          // The order of text and other events is the order of the calls.
          const order = events.flatMap((e) =>
            e.type === 'llm_chunk' ? [e.data.content] : e.type === 'warning' ? ['EVENT'] : [],
          );
          expect(order.join('')).toBe(pieces.join(''));
        },
      ),
      { numRuns: propertyRuns(60) },
    );
  });

  test('text() reads an async iterable to its end, and rejects with its error', async () => {
    const { publisher, log } = createRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    await run.text(
      (async function* () {
        yield 'a\r';
        yield '\nb';
      })(),
    );
    const broken = (async function* () {
      yield 'c';
      throw new Error('the model failed');
    })();
    await expect(run.text(broken)).rejects.toThrow('the model failed');
    await run.fail(new Error('broken'), { status: 'TIMED_OUT', code: 'MODEL' });
    const { chunks, ends } = await foldLog(log.real, 'a1');
    expect(chunks.join('')).toBe('a\r\nbc');
    expect(ends).toMatchObject([
      { type: 'error', data: { status: 'TIMED_OUT', message: 'broken', code: 'MODEL' } },
    ]);
  });

  test('values are published as patches, and later changes by the caller do not affect them', async () => {
    const { publisher, log, store } = createRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1', mode: 'STRUCTURED' });
    const value: { items: number[]; gone?: undefined } = { items: [1], gone: undefined };
    run.value(value);
    value.items.push(2);
    run.value(value);
    run.value(value);
    value.items.push(3);
    run.value(undefined);
    await run.complete();
    const folded = await foldLog(log.real, 'a1');
    expect(folded.value).toEqual({ items: [1, 2] });
    expect(folded.types).toEqual(['agent_start', 'structured_delta', 'structured_delta', 'complete']);
    expect((await store.get('a1'))!.result).toEqual({ items: [1, 2] });
  });
});

describe('batching', () => {
  test('chunks within 5 ms are merged into one and sent after that time, with the time at which they were published', async () => {
    vi.useFakeTimers({ now: Date.parse('2030-01-01T00:00:00.000Z') });
    const { publisher, log } = createRig({ batchMs: 5 });
    const begun = publisher.begin({ kind: 'agent', id: 'a1' });
    await vi.advanceTimersByTimeAsync(10);
    const run = await begun;
    run.text('a');
    await vi.advanceTimersByTimeAsync(2);
    run.text('b');
    await vi.advanceTimersByTimeAsync(2);
    expect(log.requests).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(log.requests).toHaveLength(2);
    expect(log.requests[1]!.events).toEqual([
      { type: 'llm_chunk', ts: '2030-01-01T00:00:00.010Z', data: { content: 'ab' } },
    ]);
    log.faults.isAway = true;
    run.warning('W', 'published while the log is unavailable');
    await vi.advanceTimersByTimeAsync(10_000);
    log.faults.isAway = false;
    await vi.advanceTimersByTimeAsync(2_000);
    const { events } = await foldLog(log.real, 'a1');
    expect(events.at(-1)).toMatchObject({ type: 'warning', ts: '2030-01-01T00:00:00.015Z' });
  });

  test('no batch is larger than 256 KiB and no event larger than half a message', async () => {
    const { publisher, log } = createRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    const text = '😀\r\n"漢'.repeat(100_000);
    await run.text(text);
    await run.complete();
    expect((await foldLog(log.real, 'a1')).text).toBe(text);
    const sizes = log.requests.map(({ events }) => events.reduce((sum, event) => sum + jsonBytes(event), 0));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MAX_BATCH_BYTES);
    expect(
      Math.max(...log.requests.flatMap(({ events }) => events.map(({ data }) => jsonBytes(data)))),
    ).toBeLessThanOrEqual(DEFAULT_SIZE_LIMITS.part);
  });
});

describe('an end', () => {
  test('the row ends before the terminal event is announced, which follows all queued events', async () => {
    const { publisher, log, store } = createRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    const seen: Promise<[ExecutionEvent, string]>[] = [];
    await log.real.listen('a1', {
      onAnnouncement({ events }) {
        for (const event of events) seen.push(store.get('a1').then((row) => [event, row!.status]));
      },
      onInterruption() {},
    });
    run.text('queued');
    await run.complete();
    const announced = (await Promise.all(seen)).map(([event, status]) => [event.type, status]);
    expect(announced.slice(-2)).toEqual([
      ['llm_chunk', 'RUNNING'],
      ['complete', 'SUCCESS'],
    ]);
  });

  test('a run ends once: later calls are counted and have no effect', async () => {
    const { publisher, log, store } = createRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    const [first, second] = await Promise.all([run.complete('one'), run.complete('two'), run.fail('three')]);
    expect([first, second]).toEqual([true, true]);
    await run.fail('four');
    await run.text('five');
    run.toolCall({ toolCallId: 't', toolName: 'n', status: 'started' });
    const { ends } = await foldLog(log.real, 'a1');
    expect(ends).toMatchObject([{ data: { result: 'one' } }]);
    expect((await store.get('a1'))!.result).toBe('one');
    expect(run.stats.late).toBe(5);
    expect(run.signal.aborted).toBe(false);
  });

  test('a result that is too large is omitted from the event and kept on the row', async () => {
    const { publisher, log, store } = createRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    const text = 'x'.repeat(DEFAULT_SIZE_LIMITS.data);
    await run.text(text);
    await run.complete();
    const { ends } = await foldLog(log.real, 'a1');
    expect(ends[0]!.data).toEqual({
      status: 'SUCCESS',
      resultOmitted: true,
      resultBytes: text.length + 2,
      durationMs: expect.any(Number),
    });
    expect((await store.get('a1'))!.result).toBe(text);
  });

  test('a text longer than resultUnits is reported as an omitted result, in the stream and on the row', async () => {
    const { publisher, log, store } = createRig({ resultUnits: 10 });
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    await run.text('longer than that');
    await run.complete();
    expect((await foldLog(log.real, 'a1')).ends[0]!.data).toMatchObject({ resultOmitted: true });
    const row = (await store.get('a1'))!;
    expect(row).toMatchObject({ status: 'SUCCESS', resultOmitted: true });
    expect(row.result).toBeUndefined();
  });

  test('an error message that is too long is cut, not inside a character', async () => {
    const { publisher, log } = createRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    await run.fail(new Error('😀'.repeat(70_000)));
    const [end] = (await foldLog(log.real, 'a1')).ends;
    expect(jsonBytes(end!.data)).toBeLessThanOrEqual(DEFAULT_SIZE_LIMITS.part);
    expect((end!.data as { message: string }).message).toMatch(/^(😀)+…$/u);
  });

  test('the end is recorded although the result is not JSON or the store rejects it', async () => {
    const { publisher, log, store, logger } = createRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    expect(await run.complete({ big: 1n })).toBe(true);
    expect((await foldLog(log.real, 'a1')).ends[0]!.data).toMatchObject({ resultOmitted: true });
    const { finish } = store;
    store.finish = async (id, attempt, end) => {
      if ('result' in end) throw new ExecstreamError('BAD_USER_INPUT', 'no such character');
      return finish(id, attempt, end);
    };
    const other = await publisher.begin({ kind: 'agent', id: 'a2' });
    expect(await other.complete('\0')).toBe(true);
    expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
  });

  test('the terminal event is that of the row, if the row has ended differently before', async () => {
    const { publisher, log, store } = createRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    await store.finish('a1', 1, { status: 'CANCELED', error: { message: 'by an operator' } });
    await run.complete('done');
    expect((await foldLog(log.real, 'a1')).ends).toMatchObject([
      { type: 'error', data: { status: 'CANCELED', message: 'by an operator' } },
    ]);
  });
});

describe('a status', () => {
  test('statuses are written to the row, the last one last', async () => {
    const { publisher, store } = createRig({}, { strict: true });
    const run = await publisher.begin({ kind: 'task', id: 't1' });
    run.status('RUNNING');
    run.status('WAITING');
    run.status('PAUSED');
    await until(async () => (await store.get('t1'))!.status === 'PAUSED');
    expect(() => run.status('SUCCESS' as never)).toThrow(coded('BAD_USER_INPUT'));
  });
});

describe('mistakes and rejections', () => {
  test('an event that is too large is thrown to the caller and published as a warning, and the run continues', async () => {
    const { publisher, log } = createRig({}, { strict: true });
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    run.text('before');
    const call = { toolCallId: 't1', toolName: 'n', status: 'failed', error: 'x'.repeat(30_000) } as const;
    expect(() => run.toolCall(call)).toThrow(/tool_call has 300\d\d bytes of data; an event may have 28672/);
    run.text(' after');
    await run.complete();
    const { warnings, text, types } = await foldLog(log.real, 'a1');
    expect(warnings).toEqual(['EVENT_TOO_LARGE']);
    expect(text).toBe('before after');
    expect(types).toEqual(['agent_start', 'llm_chunk', 'warning', 'llm_chunk', 'complete']);
    expect(run.stats.rejected).toBe(1);
  });

  test('arguments and results of a tool that do not fit are omitted, the larger one first', async () => {
    const { publisher, log } = createRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    const call = { toolCallId: 't1', toolName: 'n', status: 'succeeded' } as const;
    const [small, large] = ['x'.repeat(20_000), 'y'.repeat(200_000)];
    await run.toolCall({ ...call, args: small, result: large });
    await run.toolCall({ ...call, args: large, result: small });
    await run.toolCall({ ...call, args: { large }, result: [large] });
    await run.complete();
    const { events, warnings } = await foldLog(log.real, 'a1');
    expect(warnings).toEqual([]);
    expect(events.filter(({ type }) => type === 'tool_call').map(({ data }) => data)).toEqual([
      { ...call, args: small, resultOmitted: true, resultBytes: 200_002 },
      { ...call, result: small, argsOmitted: true, argsBytes: 200_002 },
      { ...call, argsOmitted: true, argsBytes: 200_012, resultOmitted: true, resultBytes: 200_004 },
    ]);
  });

  test('a raised limit keeps large arguments, results, errors and values', async () => {
    const { publisher, log } = createRig({ messageBytes: 1024 * 1024 });
    const run = await publisher.begin({ kind: 'agent', id: 'a1', mode: 'STRUCTURED' });
    const large = 'y'.repeat(90_000);
    const call = { toolCallId: 't1', toolName: 'n', status: 'failed', result: large, error: large } as const;
    await run.toolCall(call);
    await run.value({ large });
    await run.complete();
    const { events, ends } = await foldLog(log.real, 'a1');
    expect(events.find(({ type }) => type === 'tool_call')!.data).toEqual(call);
    expect(ends).toMatchObject([{ data: { result: { large } } }]);
  });

  test.each([61_439, 16 * 1024 * 1024 + 1, 1e5 + 0.5])(
    'messageBytes outside of its range is rejected: %d',
    (messageBytes) => {
      expect(() => createRig({ messageBytes })).toThrow(
        /messageBytes: expected an integer from 61440 to 16777216/,
      );
    },
  );

  test('a value that cannot be split leads to one warning, and is still the result', async () => {
    const { publisher, log, store } = createRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1', mode: 'STRUCTURED' });
    const large = { s: 'x'.repeat(70_000) };
    await run.value(large);
    await run.value(large);
    await run.complete();
    expect(run.stats.rejected).toBe(1);
    expect((await foldLog(log.real, 'a1')).warnings).toEqual(['EVENT_TOO_LARGE']);
    expect((await store.get('a1'))!.result).toEqual(large);
  });

  test('a value beyond the limits of structured values leads to one warning, and is still the result', async () => {
    const { publisher, log, store } = createRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1', mode: 'STRUCTURED' });
    await run.value({ small: true });
    const large = Array.from({ length: 100_000 }, () => 0);
    await run.value(large);
    await run.complete();
    expect((await foldLog(log.real, 'a1')).warnings).toEqual(['EVENT_TOO_LARGE']);
    expect((await store.get('a1'))!.result).toEqual(large);
  });

  test('values nested deeper than 128 levels are rejected in every call that takes JSON', async () => {
    const { publisher } = createRig({}, { strict: true });
    const run = await publisher.begin({ kind: 'agent', id: 'a1', mode: 'STRUCTURED' });
    for (const levels of [129, 10_000]) {
      const deep = JSON.parse('['.repeat(levels) + ']'.repeat(levels));
      const call = { toolCallId: 't', toolName: 'search', status: 'started', args: deep } as const;
      expect(() => run.toolCall(call)).toThrow(coded('BAD_USER_INPUT'));
      expect(() => run.value(deep)).toThrow(coded('BAD_USER_INPUT'));
      const begun = publisher.begin({ kind: 'agent', id: 'a2', input: deep });
      await expect(begun).rejects.toThrow(coded('BAD_USER_INPUT'));
    }
    expect(await run.complete()).toBe(true);
  });

  test('invalid arguments are thrown as BAD_USER_INPUT with a message', async () => {
    const { publisher } = createRig({}, { strict: true });
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(() => run.emit('nonsense' as never, {} as never)).toThrow(
      'type: expected an event type, got "nonsense"',
    );
    expect(() => run.emit('workflow_start', {} as never)).toThrow(
      'workflow_start does not occur in the stream of kind agent',
    );
    for (const type of ['complete', 'error', 'reset', 'gap', 'llm_chunk', 'structured_delta']) {
      expect(() => run.emit(type as never, {} as never)).toThrow(coded('BAD_USER_INPUT'));
    }
    expect(() => run.emit('complete' as never, {} as never)).toThrow(
      'type: complete cannot be emitted; call complete()',
    );
    expect(() => run.emit('llm_chunk' as never, {} as never)).toThrow(
      'type: llm_chunk cannot be emitted; call text()',
    );
    expect(() => run.status('SUCCESS' as never)).toThrow(
      'status: expected PENDING, RUNNING, WAITING, PAUSED, got SUCCESS; call complete() or fail() to end the run',
    );
    expect(() => run.emit('warning', circle as never)).toThrow('warning is not JSON');
    expect(() => run.warning('C', 1 as never)).toThrow('warning: data.message: ');
    expect(() => run.toolCall({ toolName: 'read' } as never)).toThrow('tool_call: data.toolCallId: ');
    expect(() => run.value({})).toThrow('value(): expected a run of mode STRUCTURED, got TEXT');
    expect(() => run.text(7 as never)).toThrow('text(): expected a string, got number');
    expect(() => run.text(null as never)).toThrow('text(): expected a string, got object');
    await expect(publisher.begin({ kind: 'agent', id: 'no\0zero' })).rejects.toThrow(coded('BAD_USER_INPUT'));
    await expect(publisher.begin({ kind: 'robot' as never, id: 'r' })).rejects.toThrow(
      coded('BAD_USER_INPUT'),
    );
    await expect(publisher.begin({ kind: 'agent', id: 'x', attempt: 0 })).rejects.toThrow(
      coded('BAD_USER_INPUT'),
    );
  });

  test('begin() is rejected for an older attempt, an ended execution, another tenant and another kind', async () => {
    const { publisher } = createRig({}, { strict: true });
    const run = await publisher.begin({ kind: 'agent', id: 'a1', attempt: 3, tenant: 'one' });
    await expect(publisher.begin({ kind: 'agent', id: 'a1', attempt: 2, tenant: 'one' })).rejects.toThrow(
      coded('SUPERSEDED'),
    );
    await expect(publisher.begin({ kind: 'agent', id: 'a1', tenant: 'two' })).rejects.toThrow(
      coded('FORBIDDEN'),
    );
    await expect(publisher.begin({ kind: 'task', id: 'a1', tenant: 'one' })).rejects.toThrow(
      coded('BAD_USER_INPUT'),
    );
    await until(() => run.stats.appended > 0);
    await expect(publisher.begin({ kind: 'agent', id: 'a1', attempt: 3, tenant: 'one' })).rejects.toThrow(
      coded('SUPERSEDED'),
    );
    await run.complete();
    await expect(publisher.begin({ kind: 'agent', id: 'a1', tenant: 'one' })).rejects.toThrow(coded('ENDED'));
  });
});

describe('attempts', () => {
  test('an abandoned attempt does not end the execution, and the next attempt resets the stream', async () => {
    const { publisher, log } = createRig();
    const first = await publisher.begin({ kind: 'agent', id: 'a1' });
    first.text('half');
    await first.abandon(new Error('rate limit'));
    expect(first.state).toBe('abandoned');
    first.text('late');
    const second = await publisher.begin({ kind: 'agent', id: 'a1' });
    expect(second.attempt).toBe(2);
    second.text('complete');
    await second.complete();
    const { types, text, resets, events } = await foldLog(log.real, 'a1');
    expect(types).toEqual([
      'agent_start',
      'llm_chunk',
      'warning',
      'reset',
      'agent_start',
      'llm_chunk',
      'complete',
    ]);
    expect(resets).toEqual(['attempt']);
    expect(text).toBe('complete');
    expect(events.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 2, 2, 2, 2]);
  });
});

test('close() sends queued events, records pending ends, ends no other run, and leaves no timer', async () => {
  vi.useFakeTimers();
  const { publisher, log } = createRig({}, { strict: true });
  const begun = Promise.all([
    publisher.begin({ kind: 'agent', id: 'a1' }),
    publisher.begin({ kind: 'agent', id: 'a2' }),
  ]);
  await vi.advanceTimersByTimeAsync(1);
  const [open, ending] = await begun;
  open!.text('queued\r');
  void ending!.complete('done');
  const closed = publisher.close();
  await vi.advanceTimersByTimeAsync(1_000);
  await closed;
  expect((await foldLog(log.real, 'a1')).types).toEqual(['agent_start', 'llm_chunk']);
  expect((await foldLog(log.real, 'a1')).text).toBe('queued\r');
  expect((await foldLog(log.real, 'a2')).ends).toHaveLength(1);
  expect([open!.state, ending!.state]).toEqual(['closed', 'ended']);
  // The remaining timer is the memory log's expiry of a2.
  expect(vi.getTimerCount()).toBe(1);
  await expect(publisher.begin({ kind: 'agent', id: 'a3' })).rejects.toThrow('the publisher is closed');
});

test('createPublisher requires only a log and a store', async () => {
  const { log, store } = createRig();
  const publisher = createPublisher({ log: log.writer, store });
  const run = await publisher.begin({ kind: 'task', id: 't1' });
  expect(await run.complete(1)).toBe(true);
});
