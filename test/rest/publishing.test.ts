// Publishing over HTTP (PROTOCOL.md, "Publishing over HTTP").
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_BOUNDS } from '../../src/log/log.ts';
import { MAX_TEXT_UNITS } from '../../src/log/log-state.ts';
import { createLogStates } from '../../src/log/log-states.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { type ListeningApp, startApp } from '../support/app.ts';
import { openSse } from '../support/sse.ts';

let app: ListeningApp;
beforeEach(async () => {
  app = await startApp();
});
afterEach(() => app.close());

interface JsonResponse {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read arbitrary JSON.
  readonly body: any;
}

async function send(method: string, path: string, body: unknown, headers = {}): Promise<JsonResponse> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const init = { method, body: text, headers: { 'Content-Type': 'application/json', ...headers } };
  const response = await fetch(`${app.url}/api/v0/executions/${path}`, init);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const begin = (id = 'a1', body: object = { mode: 'TEXT' }) => send('PUT', `agents/${id}`, body);

function post(token: string, events: unknown, { id = 'a1', key = randomUUID() as string } = {}) {
  const headers = { 'Publisher-Token': token, 'Idempotency-Key': key };
  const isBody = typeof events === 'string' && events.startsWith('{');
  return send('POST', `agents/${id}/events`, isBody ? events : { events }, headers);
}

const chunk = (content: string) => ({ type: 'llm_chunk', data: { content } });

/** Arrays within arrays. */
function nested(levels: number): unknown {
  return JSON.parse('['.repeat(levels) + ']'.repeat(levels));
}

const toolCallOf = (args: unknown) => ({
  type: 'tool_call',
  data: { toolCallId: 't', toolName: 'search', status: 'started', args },
});

const HOUR = 3_600_000;

const stateInLog = (id: string) => createLogStates(app.log).read(id);

async function state(id = 'a1') {
  return (await fetch(`${app.url}/api/v0/executions/agents/${id}`)).json();
}

async function events(id = 'a1') {
  return (await app.log.read(id, 0, 10_000))!.events;
}

describe('PUT begins an execution', () => {
  test('a first PUT is 201 with token, epoch, head and attempt, and appends the start event', async () => {
    const { status, body } = await begin('a1', {
      mode: 'TEXT',
      agentId: 'writer',
      action: 'write',
      name: 'n',
    });
    expect(status).toBe(201);
    expect(body).toEqual({
      token: expect.stringMatching(/^[\w-]{20,}$/),
      epoch: expect.any(String),
      head: 1,
      attempt: 1,
    });
    expect((await events())[0]).toMatchObject({
      type: 'agent_start',
      data: { agentId: 'writer', action: 'write' },
    });
    expect(await state()).toMatchObject({ id: 'a1', status: 'RUNNING', mode: 'TEXT', attempt: 1, name: 'n' });
  });

  test('a second PUT begins the next attempt with a reset, and the older token is rejected', async () => {
    const first = (await begin()).body;
    await post(first.token, [chunk('half')]);
    const second = (await begin()).body;
    expect(second).toMatchObject({ attempt: 2, epoch: first.epoch });
    const late = await post(first.token, [chunk('late')]);
    expect(late).toMatchObject({ status: 409, body: { code: 'SUPERSEDED' } });
    expect((await post(second.token, [chunk('whole')])).status).toBe(200);
    const received = (await events()).map(({ type, attempt }) => `${type} ${attempt}`);
    expect(received).toEqual(['agent_start 1', 'llm_chunk 1', 'reset 2', 'agent_status 2', 'llm_chunk 2']);
  });

  test('a second publisher of the same attempt is rejected', async () => {
    await begin('a1', { mode: 'TEXT', attempt: 1 });
    expect(await begin('a1', { mode: 'TEXT', attempt: 1 })).toMatchObject({
      status: 409,
      body: { code: 'SUPERSEDED' },
    });
  });

  test('an older attempt, an ended execution, another kind and another tenant are rejected', async () => {
    const { token } = (await begin('a1', { mode: 'TEXT', attempt: 3, tenant: 'one' })).body;
    expect(await begin('a1', { mode: 'TEXT', attempt: 2, tenant: 'one' })).toMatchObject({ status: 409 });
    expect(await begin('a1', { mode: 'TEXT', tenant: 'two' })).toMatchObject({ status: 403 });
    expect(await send('PUT', 'tasks/a1', { mode: 'TEXT', tenant: 'one' })).toMatchObject({ status: 400 });
    await post(token, [{ type: 'complete', data: {} }]);
    const second = await begin('a1', { mode: 'TEXT', tenant: 'one' });
    expect(second).toMatchObject({ status: 409, body: { code: 'ENDED' } });
  });

  test.each([
    ['{"mode":', 400, /^body: not valid JSON/],
    [{ mode: 'AUDIO' }, 422, /mode/],
    [{ mode: 'TEXT', attempt: 0 }, 422, /attempt/],
    [{ mode: 'TEXT', attempt: 2_147_483_647 }, 400, /attempt: expected at most 10000/],
    [{ mode: 'TEXT', input: nested(2_400) }, 422, /^input[.0]*: nested deeper than 128 levels/],
    [{ mode: 'TEXT', colour: 'red' }, 422, /^colour: unknown field$/],
    [{ Mode: 'TEXT', attempt: 0 }, 422, /^Mode: unknown field$/],
    ['{"mode":"TEXT","input":{"id":[1,9007199254740993]}}', 422, /^input\.id\.1: .*, got 9007199254740993$/],
    [{ mode: 'TEXT', input: 'x'.repeat(300_000) }, 413, /262144 bytes/],
  ])('an invalid body is rejected by the name of the field (%#)', async (body, status, detail) => {
    const response = await send('PUT', 'agents/a1', body);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.body.detail).toMatch(detail);
  });
});

describe('POST appends a batch', () => {
  test('a surrogate pair or CRLF that is split between events or batches reaches viewers of plain text as one', async () => {
    const { token } = (await begin()).body;
    await post(token, [chunk('a\ud83d'), chunk('\ude00b\r')]);
    await post(token, [chunk('\nc\ud83d')]);
    await post(token, [chunk('\ude00'), { type: 'complete', data: {} }]);
    const stream = await (await fetch(`${app.url}/api/v0/executions/agents/a1/stream`)).text();
    const data = [...stream.matchAll(/event: llm_chunk\n((?:data: .*\n)+)/g)].map(([, lines]) => lines);
    expect(data).toEqual(['data: a\n', 'data: 😀b\ndata: \n', 'data: c\n', 'data: 😀\n']);
    expect((await state()).result).toBe('a😀b\r\nc😀');
  });

  test('a batch is appended in full, in order and unchanged; viewers receive it, and the state has the joined text', async () => {
    const { token } = (await begin()).body;
    using viewer = await openSse(`${app.url}/api/v0/executions/agents/a1/stream`);
    expect(await post(token, [chunk(' two\r\n'), chunk('\tparts 😀 ')])).toMatchObject({ body: { head: 3 } });
    const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3 };
    expect(await post(token, [{ type: 'complete', data: { usage } }])).toMatchObject({ body: { head: 4 } });
    await viewer.ended();
    expect(viewer.frames.map(({ event }) => event)).toEqual([
      'agent_start',
      'llm_chunk',
      'llm_chunk',
      'complete',
    ]);
    expect(JSON.parse(viewer.frames.at(-1)!.data)).toMatchObject({
      status: 'SUCCESS',
      result: ' two\r\n\tparts 😀 ',
      usage,
    });
    expect(await state()).toMatchObject({
      status: 'SUCCESS',
      result: ' two\r\n\tparts 😀 ',
      lastCursor: viewer.lastEventId,
    });
  });

  test('a batch is idempotent by its key, also after other batches and after the end', async () => {
    const { token } = (await begin()).body;
    const first = await post(token, [chunk('a')], { key: 'k1' });
    await post(token, [chunk('b')], { key: 'k2' });
    expect((await post(token, [chunk('a')], { key: 'k1' })).body).toEqual(first.body);
    const end = await post(token, [{ type: 'complete', data: {} }], { key: 'k3' });
    expect((await post(token, [{ type: 'complete', data: {} }], { key: 'k3' })).body).toEqual(end.body);
    expect((await post(token, [chunk('a')], { key: 'k1' })).body).toEqual(first.body);
    expect((await events()).map(({ type }) => type)).toEqual([
      'agent_start',
      'llm_chunk',
      'llm_chunk',
      'complete',
    ]);
    expect((await state()).result).toBe('ab');
  });

  test('a key that is sent again with another body is 422, and nothing is appended', async () => {
    const { token } = (await begin()).body;
    await post(token, [chunk('a')], { key: 'k1' });
    expect(await post(token, [chunk('b')], { key: 'k1' })).toMatchObject({
      status: 422,
      body: { detail: expect.stringMatching(/^header Idempotency-Key: already used/) },
    });
    expect(await post(token, [{ type: 'complete', data: {} }], { key: 'k1' })).toMatchObject({ status: 422 });
    expect(await events()).toHaveLength(2);
    expect((await state()).status).toBe('RUNNING');
    // White space and the order of members do not make it another body.
    const text = '{ "events": [ { "data": {"content":"a"}, "type": "llm_chunk" } ] }';
    const headers = { 'Publisher-Token': token, 'Idempotency-Key': 'k1' };
    expect(await send('POST', 'agents/a1/events', text, headers)).toMatchObject({
      status: 200,
      body: { head: 2 },
    });
  });

  test('the same key in another attempt is a different key', async () => {
    const first = (await begin()).body;
    await post(first.token, [chunk('one')], { key: '1' });
    const second = (await begin()).body;
    await post(second.token, [chunk('two')], { key: '1' });
    await post(second.token, [{ type: 'complete', data: {} }], { key: '2' });
    expect((await state()).result).toBe('two');
  });

  test('concurrent batches do not interleave', async () => {
    const { token } = (await begin()).body;
    const texts = Array.from({ length: 12 }, (_, i) => `${i};`);
    const responses = await Promise.all(texts.map((text) => post(token, [chunk(text), chunk('.')])));
    expect(responses.map(({ status }) => status)).toEqual(texts.map(() => 200));
    expect((await events()).slice(1).filter((_, i) => i % 2 === 1)).toHaveLength(12);
    expect(new Set(responses.map(({ body }) => body.head)).size).toBe(12);
  });

  test('too many concurrent batches are 429 with Retry-After, and accepted ones are in the log', async () => {
    const { token } = (await begin()).body;
    const { append } = app.log;
    // A slow log: batches queue up after the one that it is appending.
    let resume = () => {};
    const slow = new Promise<void>((resolve) => {
      resume = resolve;
    });
    app.log.append = async (...sent) => {
      await slow;
      return append(...sent);
    };
    const posts = Array.from({ length: 20 }, () => post(token, [chunk('x')]));
    const rejected = await Promise.race(posts);
    expect(rejected.status).toBe(429);
    expect(rejected.headers.get('retry-after')).toBe('1');
    resume();
    const accepted = (await Promise.all(posts)).filter(({ status }) => status === 200);
    expect(accepted.length).toBeGreaterThanOrEqual(16);
    expect(await events()).toHaveLength(1 + accepted.length);
  });

  test('a structured value is built up by patches, and is the result', async () => {
    const { token } = (await begin('a1', { mode: 'STRUCTURED' })).body;
    const delta = (...patch: object[]) => ({ type: 'structured_delta', data: { patch } });
    await post(token, [delta({ op: 'replace', path: '', value: { files: [] } })]);
    await post(token, [delta({ op: 'add', path: '/files/-', value: 'a' })]);
    await post(token, [delta({ op: 'add', path: '/done', value: true }), { type: 'complete', data: {} }]);
    expect((await state()).result).toEqual({ files: ['a'], done: true });
  });

  test('operations that build on each other are stored as they were sent', async () => {
    const { token } = (await begin('a1', { mode: 'STRUCTURED' })).body;
    const patch = [
      { op: 'add', path: '', value: { items: [1] } },
      { op: 'add', path: '/items/-', value: 2 },
    ];
    const delta = { type: 'structured_delta', data: { patch } };
    const more = { type: 'structured_delta', data: { patch: [{ op: 'add', path: '/items/-', value: 3 }] } };
    expect((await post(token, [delta, more])).status).toBe(200);
    expect((await events()).slice(1).map(({ data }) => data)).toEqual([delta.data, more.data]);
    await post(token, [{ type: 'complete', data: {} }]);
    expect((await state()).result).toEqual({ items: [1, 2, 3] });
  });

  test('a value of many small elements, which splitting would multiply, is rejected before it is split', async () => {
    const { token } = (await begin('a1', { mode: 'STRUCTURED' })).body;
    const delta = (value: unknown) => ({
      type: 'structured_delta',
      data: { patch: [{ op: 'add', path: '', value }] },
    });
    const rejected = await post(token, [delta(Array.from({ length: 90_000 }, () => 0))]);
    expect(rejected).toMatchObject({
      status: 413,
      body: { detail: expect.stringMatching(/^events\.0: structured_delta at .*: split into events/) },
    });
    expect(await events()).toHaveLength(1);
    expect((await post(token, [delta(Array.from({ length: 40_000 }, () => 0))])).status).toBe(200);
  });

  test.each([2, 9, 26])(
    'a bomb of %i batches of doubling copies is rejected, and the value is unchanged',
    async (batches) => {
      const { token } = (await begin('a1', { mode: 'STRUCTURED' })).body;
      const delta = (patch: object[]) => ({ type: 'structured_delta', data: { patch } });
      await post(token, [delta([{ op: 'add', path: '', value: ['x'.repeat(1_000)] }])]);
      const copies = Array.from({ length: Math.ceil(26 / batches) }, () => ({
        op: 'copy',
        from: '',
        path: '/-',
      }));
      const statuses: number[] = [];
      for (let i = 0; i < batches; i += 1) statuses.push((await post(token, [delta(copies)])).status);
      expect(new Set(statuses)).toEqual(new Set([200, 413].slice(batches === 2 ? 1 : 0)));
      const { value } = await stateInLog('a1');
      expect(JSON.stringify(value).length).toBeLessThan(5_000_000);
      expect((await post(token, [delta([{ op: 'replace', path: '', value: 1 }])])).status).toBe(200);
    },
  );

  describe('after its beginning was trimmed from the log', () => {
    beforeEach(async () => {
      await app.close();
      app = await startApp({ log: createMemoryLog({ ...DEFAULT_BOUNDS, maxEvents: 3 }) });
    });

    const texts = ['one ', 'two ', 'three ', 'four '];

    test('a trimmed text that this server has followed from its beginning is the result', async () => {
      const { token } = (await begin()).body;
      for (const text of texts) await post(token, [chunk(text)]);
      await post(token, [{ type: 'complete', data: {} }]);
      expect(await state()).toMatchObject({ result: texts.join(''), resultOmitted: false });
    });

    test('a trimmed text that no server has followed is reported as omitted, in the state and to viewers', async () => {
      const { token } = (await begin()).body;
      for (const text of texts) await post(token, [chunk(text)]);
      // Another server, or this one after a restart.
      await using other = await startApp({ log: app.log, store: app.store });
      const first = app;
      app = other;
      expect((await post(token, [{ type: 'complete', data: {} }])).status).toBe(200);
      app = first;
      expect(await state()).toMatchObject({ status: 'SUCCESS', result: null, resultOmitted: true });
      expect((await events()).at(-1)).toMatchObject({ type: 'complete', data: { resultOmitted: true } });
    });

    test('patches of a trimmed value are accepted unchecked, until one sets the complete value', async () => {
      const { token } = (await begin('a1', { mode: 'STRUCTURED' })).body;
      const delta = (path: string, value: unknown) => ({
        type: 'structured_delta',
        data: { patch: [{ op: 'add', path, value }] },
      });
      for (const path of ['', '/a', '/b', '/c', '/d']) {
        expect((await post(token, [delta(path, {})])).status).toBe(200);
      }
      expect((await post(token, [delta('', { whole: 1 })])).status).toBe(200);
      expect((await post(token, [delta('/not/there', 1)])).status).toBe(422);
      await post(token, [delta('/more', 2), { type: 'complete', data: {} }]);
      expect((await state()).result).toEqual({ whole: 1, more: 2 });
    });

    test('a batch that sets the complete value determines the result, regardless of the patches before it', async () => {
      const { token } = (await begin('a1', { mode: 'STRUCTURED' })).body;
      const delta = (path: string, value: unknown) => ({
        type: 'structured_delta',
        data: { patch: [{ op: 'add', path, value }] },
      });
      for (const path of ['', '/a', '/b', '/c', '/d']) await post(token, [delta(path, {})]);
      await post(token, [delta('/e', 1), delta('', { whole: 1 }), { type: 'complete', data: {} }]);
      expect((await state()).result).toEqual({ whole: 1 });
    });
  });

  test('a text above the limit of retained text is reported as omitted', async () => {
    const { token } = (await begin()).body;
    const piece = 'x'.repeat(250_000);
    for (let units = 0; units <= MAX_TEXT_UNITS; units += piece.length) await post(token, [chunk(piece)]);
    await post(token, [{ type: 'complete', data: {} }]);
    expect(await state()).toMatchObject({ status: 'SUCCESS', result: null, resultOmitted: true });
    expect((await events()).at(-1)).toMatchObject({ type: 'complete', data: { resultOmitted: true } });
  });

  test('an error event ends the execution with its message and code', async () => {
    const { token } = (await begin()).body;
    await post(token, [{ type: 'error', data: { status: 'TIMED_OUT', message: 'too slow', code: 'SLOW' } }]);
    expect(await state()).toMatchObject({
      status: 'TIMED_OUT',
      error: { message: 'too slow', code: 'SLOW' },
    });
    const late = await post(token, [chunk('late')]);
    expect(late).toMatchObject({ status: 409, body: { code: 'ENDED' } });
  });

  test('a status event sets the status of the row', async () => {
    const { token } = (await begin()).body;
    await post(token, [{ type: 'agent_status', data: { status: 'WAITING', step: 'for a tool' } }]);
    expect((await state()).status).toBe('WAITING');
  });

  test('a status that cannot be written to the row does not fail the batch, and the cause is logged', async () => {
    const { token } = (await begin()).body;
    app.store.setStatus = async () => {
      throw new Error('disk failure 7');
    };
    expect((await post(token, [{ type: 'agent_status', data: { status: 'WAITING' } }])).status).toBe(200);
    expect(app.errors.map(({ details }) => String((details as { err: Error }).err))).toEqual([
      'Error: disk failure 7',
    ]);
  });

  test('secrets in a batch are redacted', async () => {
    const { token } = (await begin()).body;
    await post(token, [chunk(`key sk-${'a1B2'.repeat(8)} end`), { type: 'complete', data: {} }]);
    expect(JSON.stringify(await events())).not.toContain('a1B2a1B2');
    expect((await state()).result).toBe('key [redacted] end');
  });

  test('the chunks of a batch are redacted as one text, around other events too', async () => {
    const key = `sk-${'a1B2'.repeat(8)}`;
    const { token } = (await begin()).body;
    const pieces = [
      'at the de',
      'sk-01J9Z3K5V8QW2E4R6T8Y0V1M3P: ',
      key.slice(0, 9),
      key.slice(9),
      ' or ',
      key.slice(0, 12),
    ];
    const batch = [...pieces.map(chunk), toolCallOf({}), chunk(`${key.slice(12)}, then s`)];
    expect((await post(token, batch)).status).toBe(200);
    const texts = (await events()).map(({ type, data }) => ('content' in data ? data.content : type));
    const published = [...pieces.slice(0, 3), '[redacted]', ' or ', '[redacted]', 'tool_call', ', then s'];
    expect(texts.slice(1)).toEqual(published);
    await post(token, [{ type: 'complete', data: {} }]);
    expect((await state()).result).toBe(
      'at the desk-01J9Z3K5V8QW2E4R6T8Y0V1M3P: sk-a1B2a1[redacted] or [redacted], then s',
    );
  });

  test('long text is split, and a batch without events is a heartbeat', async () => {
    const { token, head } = (await begin()).body;
    const heartbeat = await post(token, []);
    expect(heartbeat.body).toEqual({ head });
    await post(token, [chunk('x'.repeat(100_000))]);
    expect((await events()).filter(({ type }) => type === 'llm_chunk')).toHaveLength(4);
  });

  test.each([
    [[{ type: 'nonsense', data: {} }], 422, /events\.0: unknown type "nonsense"/],
    [[chunk('a'), { type: 'llm_chunk', data: { content: 1 } }], 422, /events\.1: .*content/],
    [[{ type: 'workflow_start', data: {} }], 422, /events\.0: workflow_start does not occur/],
    [[{ type: 'reset', data: { reason: 'attempt' } }], 422, /events\.0: reset/],
    [[{ type: 'structured_delta', data: { patch: [] } }], 422, /events\.0: structured_delta requires mode/],
    [[{ type: 'complete', data: {} }, chunk('x')], 422, /events\.0: complete must be the last/],
    [[{ type: 'warning', data: { code: 'C', message: 'm'.repeat(70_000) } }], 413, /events\.0: warning has/],
    [[{ type: 'llm_chunk', data: { content: 'x' }, ts: 'yesterday' }], 422, /events\.0\.ts/],
    [
      [{ ...chunk('x'), ts: new Date(Date.now() + 2 * HOUR).toISOString() }],
      422,
      /events\.0\.ts: expected a time/,
    ],
    [
      [{ ...chunk('x'), ts: new Date(Date.now() - 8 * 24 * HOUR).toISOString() }],
      422,
      /events\.0\.ts: expected/,
    ],
    [[{ ...chunk('x'), ts: '9999-12-31T23:59:59.999-14:00' }], 422, /events\.0\.ts: expected/],
    [[chunk('x'), toolCallOf(nested(2_400))], 422, /events\.1\.data\.args: nested deeper than 128 levels/],
    [
      `{"events":[{"type":"tool_call","data":{"args":1e999}}]}`,
      422,
      /events\.0\.data\.args: .* out of range/,
    ],
    [[{ type: 'tool_call', data: { ...toolCallOf(1).data, durationMs: 2 ** 53 } }], 422, /durationMs/],
    ['none', 422, /events/],
  ])(
    'a batch with an invalid event is rejected in full, by the name of the event (%#)',
    async (batch, status, detail) => {
      const { token } = (await begin()).body;
      const response = await post(token, batch);
      expect(response).toMatchObject({ status, body: { detail: expect.stringMatching(detail) } });
      expect(await events()).toHaveLength(1);
    },
  );

  test('a patch that does not apply is rejected, and the value is unchanged', async () => {
    const { token } = (await begin('a1', { mode: 'STRUCTURED' })).body;
    const patch = [{ op: 'remove', path: '/nothing' }];
    const response = await post(token, [{ type: 'structured_delta', data: { patch } }]);
    expect(response).toMatchObject({
      status: 422,
      body: { detail: expect.stringMatching(/^events\.0: structured_delta: patch\.0: remove "\/nothing": /) },
    });
    expect(await events()).toHaveLength(1);
  });

  test('a log that was restored to an older state is detected, and nothing is appended after the loss', async () => {
    const { token, epoch } = (await begin()).body;
    using viewer = await openSse(`${app.url}/api/v0/executions/agents/a1/stream`);
    await viewer.take(1);
    const headers = { 'Publisher-Token': token, 'Idempotency-Key': 'k', 'Publisher-Head': '7' };
    const rejected = await send('POST', 'agents/a1/events', { events: [chunk('x')] }, headers);
    expect(rejected).toMatchObject({
      status: 409,
      body: { code: 'SUPERSEDED', detail: expect.stringContaining('log was lost') },
    });
    // In another epoch, so that viewers do not mistake its events for those that they have already received.
    const head = (await app.log.head('a1'))!;
    expect(head.epoch).not.toBe(epoch);
    await viewer.until(() => viewer.frames.some(({ event }) => event === 'reset'), 'reset');
    const second = (await begin()).body;
    expect(second.attempt).toBe(2);
    expect((await post(second.token, [chunk('second attempt')])).status).toBe(200);
    await viewer.until(() => viewer.text.includes('second attempt'), 'the text of the next attempt');
  });

  test('a restored log is detected without Publisher-Head by the server that accepted the last batch', async () => {
    const { token } = (await begin()).body;
    const { head } = (await post(token, [chunk('a'), chunk('b')])).body;
    const { log } = app;
    const readHead = log.head.bind(log);
    log.head = async (id) => ({ ...(await readHead(id))!, head: head - 1 });
    const rejected = await post(token, [chunk('c')]);
    expect(rejected).toMatchObject({
      status: 409,
      body: { code: 'SUPERSEDED', detail: expect.stringContaining('log was lost') },
    });
    log.head = readHead;
    expect((await events()).map(({ type }) => type)).toEqual(['agent_start', 'llm_chunk', 'llm_chunk']);
  });

  test('an invalid Publisher-Head is rejected by name', async () => {
    const { token } = (await begin()).body;
    const headers = { 'Publisher-Token': token, 'Idempotency-Key': 'k', 'Publisher-Head': '-1' };
    const rejected = await send('POST', 'agents/a1/events', { events: [] }, headers);
    expect(rejected).toMatchObject({
      status: 400,
      body: { detail: expect.stringMatching(/^header Publisher-Head: expected/) },
    });
  });

  test('a missing header is rejected by name, an unknown execution is 404, and a wrong token is 409', async () => {
    const { token } = (await begin()).body;
    const withoutToken = await send('POST', 'agents/a1/events', { events: [] });
    expect(withoutToken).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('Publisher-Token') },
    });
    const withoutKey = await send('POST', 'agents/a1/events', { events: [] }, { 'Publisher-Token': token });
    expect(withoutKey).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('Idempotency-Key') },
    });
    expect((await post(token, [chunk('x')], { id: 'nobody' })).status).toBe(404);
    expect(await post('wrong-token', [chunk('x')])).toMatchObject({
      status: 409,
      body: { code: 'SUPERSEDED' },
    });
    expect(await post('wrong-token', [{ type: 'complete', data: {} }])).toMatchObject({ status: 409 });
    expect((await state()).status).toBe('RUNNING');
  });
});
