// The REST aliases of streams: frames, parameters, responses (PROTOCOL.md, "REST aliases").
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import { EVENT_TYPES } from '../../src/event/events.ts';
import type { Permission } from '../../src/execution/permission.ts';
import {
  type App,
  chunk,
  chunks,
  createApp,
  directLog,
  EVENT_STREAM,
  range,
  startApp,
  TS,
  toolCall,
  unfinishedText,
} from '../support/app.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';
import { openSse } from '../support/sse.ts';

let app: App;
let store: MemoryStore;
let permission: () => Permission;
beforeEach(() => {
  store = createMemoryStore();
  permission = () => ({ read: 'granted' });
  app = createApp({ store, authorize: () => permission() });
});
afterEach(() => app.close());

const PATH = '/api/v0/executions/agents/a1/stream';
const get = (path = PATH, headers: Record<string, string> = {}) =>
  app.request(path, { headers: { ...EVENT_STREAM, ...headers } });

const idsOf = (text: string) => [...text.matchAll(/^id: (\d+)-\w+\nevent: /gm)].map(([, seq]) => Number(seq));

/** Asserts that a response is a problem document of RFC 9457, and returns it. */
async function problemOf(response: Response) {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = (await response.json()) as Record<string, unknown>;
  expect(Object.keys(problem).sort()).toEqual(['code', 'detail', 'status', 'title', 'type']);
  expect(problem.status).toBe(response.status);
  return problem as { status: number; code: string; detail: string; title: string };
}

describe('PROTOCOL.md, REST aliases: the frame', () => {
  test('a surrogate pair or CRLF that is split between two chunks is one character or line break, from any cursor', async () => {
    const log = await directLog(app);
    const contents = ['a\r', '\nb \ud83d', '\ude00\r', '\n', 'c\r', 'd\ud83d', 'e', '\ude00'];
    for (const content of contents) await log.append(chunk(content));
    await log.complete(contents.join(''));
    const dataOf = (text: string) =>
      [...text.matchAll(/event: llm_chunk\n((?:data: .*\n)+)/g)].map(([, lines]) =>
        lines!.replace(/^data: /gm, '').slice(0, -1),
      );
    const shown = ['a\n', 'b ', '😀\n', '', 'c\n', 'd', 'e', '\ufffd'];
    const text = await (await get()).text();
    expect(dataOf(text)).toEqual(shown);
    const ids = [...text.matchAll(/^id: (\S+)\nevent: llm_chunk/gm)].map(([, id]) => id!);
    for (const [i, id] of ids.entries()) {
      const rest = await (await get(PATH, { 'Last-Event-ID': id })).text();
      expect(dataOf(rest)).toEqual(shown.slice(i + 1));
    }
    const exact = await (await get(`${PATH}?data=json`)).text();
    const sent = [...exact.matchAll(/^data: (\{"content":.*\})$/gm)].map(
      ([, json]) => JSON.parse(json!).content,
    );
    expect(sent).toEqual(contents);
  });

  test('a frame has id, event and data as JSON; a chunk is plain text, one data line per line', async () => {
    const log = await directLog(app);
    await log.append(
      { type: 'agent_start', ts: TS, data: { agentId: 'ada' } },
      chunk('Hello\r\nworld\r\r\n\n  '),
      toolCall(),
      chunk(''),
      { type: 'warning', ts: TS, data: { code: 'W', message: 'two\nlines' } },
    );
    await log.complete('all');
    const response = await get();
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    expect(response.headers.has('content-encoding')).toBe(false);
    expect(log.masked(await response.text())).toMatchInlineSnapshot(`
      "retry: 1000
      :

      id: 1-EPOCH
      event: agent_start
      data: {"agentId":"ada"}

      id: 2-EPOCH
      event: llm_chunk
      data: Hello
      data: world
      data: 
      data: 
      data:   

      id: 3-EPOCH
      event: tool_call
      data: {"toolCallId":"t1","toolName":"search","status":"started"}

      id: 4-EPOCH
      event: llm_chunk
      data: 

      id: 5-EPOCH
      event: warning
      data: {"code":"W","message":"two\\nlines"}

      id: 6-EPOCH
      event: complete
      data: {"status":"SUCCESS","result":"all","durationMs":7}

      "
    `);
  });

  test('an error of the execution is an event with data', async () => {
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    await run.fail(new Error('no more'));
    expect(await (await get()).text()).toMatch(
      /\nid: 2-\w+\nevent: error\ndata: {"status":"FAILED","message":"no more","durationMs":\d+}\n\n$/,
    );
  });

  test('workflows and tasks have their own streams', async () => {
    for (const [kind, plural] of [
      ['workflow', 'workflows'],
      ['task', 'tasks'],
    ] as const) {
      const log = await directLog(app, { kind, id: kind, mode: 'STRUCTURED' });
      await log.append(toolCall());
      await log.complete();
      expect(idsOf(await (await get(`/api/v0/executions/${plural}/${kind}/stream`)).text())).toEqual([1, 2]);
    }
  });

  test('the first bytes arrive immediately over a real connection, and no compression delays frames', async () => {
    await using listening = await startApp();
    const log = await directLog(listening);
    using stream = await openSse(`${listening.url}${PATH}`, {
      headers: { 'accept-encoding': 'gzip, deflate, br' },
    });
    await stream.until(() => stream.text === 'retry: 1000\n:\n\n', 'the opening');
    expect(stream.headers['content-encoding']).toBeUndefined();
    await log.append(chunk('x'));
    await stream.take(1);
    expect(log.masked(stream.text)).toBe('retry: 1000\n:\n\nid: 1-EPOCH\nevent: llm_chunk\ndata: x\n\n');
  });
});

describe('PROTOCOL.md, REST aliases: parameters', () => {
  test('Last-Event-ID or last_event_id resumes; the header takes precedence unless it is empty', async () => {
    const log = await directLog(app);
    await log.append(...chunks(9));
    await log.complete();
    const at = (seq: number) => `${seq}-${log.epoch}`;
    const seqs = async (path: string, headers?: Record<string, string>) =>
      idsOf(await (await get(path, headers)).text());
    expect(await seqs(PATH, { 'last-event-id': at(4) })).toEqual(range(5, 10));
    expect(await seqs(`${PATH}?last_event_id=${at(6)}`)).toEqual(range(7, 10));
    expect(await seqs(`${PATH}?last_event_id=${at(6)}`, { 'last-event-id': at(8) })).toEqual([9, 10]);
    expect(await seqs(`${PATH}?last_event_id=${at(6)}`, { 'last-event-id': '' })).toEqual(range(7, 10));
    expect(await seqs(`${PATH}?last_event_id=7`)).toEqual(range(8, 10));
    expect(await seqs(`${PATH}?last_event_id=`)).toEqual(range(1, 10));
    expect(await seqs(PATH, { 'last-event-id': '0' })).toEqual(range(1, 10));
  });

  test.each([
    ['poll_ms=249', 'BAD_USER_INPUT', 'poll_ms'],
    ['poll_ms=2001', 'BAD_USER_INPUT', 'poll_ms'],
    ['poll_ms=500.5', 'BAD_USER_INPUT', 'poll_ms'],
    ['poll_ms=1e3', 'BAD_USER_INPUT', 'poll_ms'],
    ['poll_ms=-500', 'BAD_USER_INPUT', 'poll_ms'],
    ['poll_ms=x', 'BAD_USER_INPUT', 'poll_ms'],
    ['poll_ms=99999999999999999999', 'BAD_USER_INPUT', 'poll_ms'],
    ['events=llm_chunk,nope', 'BAD_USER_INPUT', '"nope"'],
    ['events=LLM_CHUNK', 'BAD_USER_INPUT', '"LLM_CHUNK"'],
    ['events=toString', 'BAD_USER_INPUT', 'events'],
    ['last_event_id=x', 'BAD_CURSOR', '"x" is not a cursor'],
    ['last_event_id=-1', 'BAD_CURSOR', 'cursor'],
    ['last_event_id=1-UPPERCASE12', 'BAD_CURSOR', 'cursor'],
    ['last_event_id=9007199254740993', 'BAD_CURSOR', 'cursor'],
  ])('%s is 400 %s, and names the parameter', async (query, code, parameter) => {
    // For an unknown execution: parameters are validated before the lookup.
    const problem = await problemOf(await get(`/api/v0/executions/agents/nope/stream?${query}`));
    expect(problem).toMatchObject({ status: 400, title: 'Bad Request', code });
    expect(problem.detail).toContain(parameter);
  });

  test('a malformed Last-Event-ID is 400 BAD_CURSOR, regardless of the query', async () => {
    const problem = await problemOf(await get(`${PATH}?last_event_id=1`, { 'last-event-id': 'nonsense' }));
    expect(problem).toMatchObject({ status: 400, code: 'BAD_CURSOR' });
  });

  test('poll_ms from 250 to 2000 is accepted and does not change the stream', async () => {
    const log = await directLog(app);
    await log.complete();
    const texts = await Promise.all(
      ['', '?poll_ms=250', '?poll_ms=2000'].map(async (query) => (await get(PATH + query)).text()),
    );
    expect(new Set(texts).size).toBe(1);
  });

  test('the events parameter ignores blanks and accepts every event type', async () => {
    const log = await directLog(app);
    await log.append(chunk('a'), toolCall());
    await log.complete();
    const text = await (await get(`${PATH}?events=%20tool_call%20,,%20complete,`)).text();
    expect(idsOf(text)).toEqual([2, 3]);
    expect(idsOf(await (await get(`${PATH}?events=${EVENT_TYPES.join(',')}`)).text())).toEqual([1, 2, 3]);
  });
});

describe('PROTOCOL.md, Cursors: execution ids, percent-encoded in a path', () => {
  test.each([
    ['every character', 'AZaz09._:~@+/-', 'AZaz09._%3A~%40%2B%2F-'],
    ['unescaped where a path allows it', 'AZaz09._:~@+-', 'AZaz09._:~@+-'],
    ['escaped where it need not be', 'abc', '%61b%63'],
    ['a dot and more', '..a', '..a'],
    ['1,000 bytes', 'x'.repeat(1_000), 'x'.repeat(1_000)],
    ['a dot', '.', '%FF.'],
    ['two dots', '..', '%ff..'],
  ])('an execution id is decoded from the path: %s', async (_, id, encoded) => {
    const log = await directLog(app, { id });
    await log.append(chunk('a'));
    await log.complete();
    expect(idsOf(await (await get(`/api/v0/executions/agents/${encoded}/stream`)).text())).toEqual([1, 2]);
    const state = await app.request(`/api/v0/executions/agents/${encoded}`);
    expect(await state.json()).toMatchObject({ id });
  });

  test.each([
    ['1,001 bytes', 'x'.repeat(1_001), 'is not an execution id'],
    ['NUL', 'a%00', 'is not an execution id'],
    ['three dots after %FF', '%FF...', 'invalid percent-encoding'],
    ['malformed percent-encoding', 'a%zz', 'invalid percent-encoding'],
    ['a lone percent sign', 'a%', 'invalid percent-encoding'],
    ['bytes that are not UTF-8', '%C3%28', 'invalid percent-encoding'],
  ])('%s is 400 for the stream and for the state', async (_, id, detail) => {
    for (const path of [`/api/v0/executions/agents/${id}/stream`, `/api/v0/executions/agents/${id}`]) {
      const problem = await problemOf(await get(path));
      expect(problem).toMatchObject({ status: 400, code: 'BAD_USER_INPUT' });
      expect(problem.detail).toContain(detail);
    }
  });
});

describe('PROTOCOL.md, REST aliases: responses', () => {
  test('a cursor at the terminal event is 204, by header or query; one before it is 200', async () => {
    const log = await directLog(app);
    await log.append(chunk('a'));
    await log.complete();
    for (const response of [
      await get(PATH, { 'last-event-id': `2-${log.epoch}` }),
      await get(`${PATH}?last_event_id=2-${log.epoch}`),
      await get(PATH, { 'last-event-id': '2' }),
    ]) {
      expect(response.status).toBe(204);
      expect(await response.text()).toBe('');
      expect(response.headers.has('content-type')).toBe(false);
    }
    expect(idsOf(await (await get(PATH, { 'last-event-id': `1-${log.epoch}` })).text())).toEqual([2]);
    expect(app.services.tails.size).toBe(0);
  });

  test('an open execution is 200, even if the cursor is at its head', async () => {
    const log = await directLog(app);
    await log.append(chunk('a'));
    const response = await get(PATH, { 'last-event-id': `1-${log.epoch}` });
    expect(response.status).toBe(200);
    await response.body!.cancel();
  });

  test('an unknown execution, one of another kind and a hidden one get the same 404', async () => {
    await directLog(app);
    const unknown = await problemOf(await get('/api/v0/executions/agents/nope/stream'));
    expect(unknown).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'no such execution: nope',
      code: 'NOT_FOUND',
    });
    const kind = await problemOf(await get('/api/v0/executions/tasks/a1/stream'));
    permission = () => ({ read: 'hidden' });
    const hidden = await problemOf(await get());
    expect(hidden).toEqual({ ...unknown, detail: 'no such execution: a1' });
    expect(kind).toEqual(hidden);
  });

  test('an execution that the caller may not read is 403', async () => {
    await directLog(app);
    permission = () => ({ read: 'denied' });
    expect(await problemOf(await get())).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  });

  test('a request is 406 if Accept does not include event streams, otherwise 200', async () => {
    await directLog(app);
    for (const accept of ['application/json', 'text/html', 'image/*']) {
      expect(await problemOf(await get(PATH, { accept }))).toMatchObject({
        status: 406,
        code: 'NOT_ACCEPTABLE',
        title: 'Not Acceptable',
      });
    }
    for (const accept of [
      'text/event-stream',
      'Text/Event-Stream;q=0.5',
      'text/*',
      '*/*',
      'a/b, */*;q=0.1',
    ]) {
      const response = await get(PATH, { accept });
      expect(response.status).toBe(200);
      await response.body!.cancel();
    }
    const response = await app.request(PATH);
    expect(response.status).toBe(200);
    await response.body!.cancel();
  });

  test('a stream is 503 with Retry-After if the store is unavailable', async () => {
    store.isAway = true;
    const response = await get();
    expect(response.headers.get('retry-after')).toBe('5');
    expect(await problemOf(response)).toMatchObject({
      status: 503,
      title: 'Service Unavailable',
      code: 'SOURCE_UNAVAILABLE',
    });
  });

  test('too many streams are 429 with Retry-After, and failed authentication is 401', async () => {
    await directLog(app);
    permission = () => {
      throw new ExecstreamError('TOO_MANY_STREAMS', 'the limit is ten');
    };
    const rejected = await get();
    expect(rejected.headers.get('retry-after')).toBe('5');
    expect(await problemOf(rejected)).toMatchObject({ status: 429, code: 'TOO_MANY_STREAMS' });
    permission = () => {
      throw new ExecstreamError('UNAUTHENTICATED', 'unknown caller');
    };
    expect(await problemOf(await get())).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
  });

  test('an internal error is 500, masked, and logged', async () => {
    await directLog(app);
    permission = () => {
      throw new TypeError('the password is hunter2');
    };
    const problem = await problemOf(await get());
    expect(problem).toMatchObject({ status: 500, code: 'INTERNAL', detail: 'Unexpected error.' });
    expect(app.errors.length).toBeGreaterThan(0);
  });

  test('PROTOCOL.md, Reconnecting: a transient error of a request with Last-Event-ID is 200, and unfinished', async () => {
    store.isAway = true;
    const response = await get(PATH, { 'last-event-id': '1' });
    expect(response.status).toBe(200);
    expect(await unfinishedText(response)).toBe('retry: 5000\n: memory store is unavailable\n\n');
    // Only the header identifies a browser's EventSource that reconnects.
    expect((await get(`${PATH}?last_event_id=1`)).status).toBe(503);
  });
});
