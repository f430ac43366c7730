// Subscriptions over SSE in distinct connections mode: the bytes, resuming, and the end.
import { afterEach, describe, expect, test } from 'vitest';
import {
  type App,
  chunk,
  chunks,
  collect,
  createApp,
  directLog,
  EVENT_STREAM,
  graphqlPath,
  range,
  settled,
  startApp,
  toolCall,
} from '../support/app.ts';
import { openSse } from '../support/sse.ts';

const SUBSCRIPTION = 'subscription($id: ID!, $after: Cursor) { agentStream(id: $id, after: $after) { seq } }';

let app: App;
afterEach(() => app?.close());

const get = (variables: object, lastEventId?: string, query = SUBSCRIPTION) =>
  app.request(graphqlPath(query, { id: 'a1', ...variables }), {
    headers: { ...EVENT_STREAM, ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) },
  });

const post = (variables: object, lastEventId?: string, query = SUBSCRIPTION) =>
  app.request('/graphql', {
    method: 'POST',
    headers: {
      ...EVENT_STREAM,
      'content-type': 'application/json',
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    },
    body: JSON.stringify({ query, variables: { id: 'a1', ...variables } }),
  });

/** The complete text of a stream that ends. */
async function whole(response: Response | Promise<Response>): Promise<string> {
  return (await response).text();
}

describe('the bytes of a stream', () => {
  test('a stream is the opening, a `next` with `id:` for every event, then `complete` with the terminal id', async () => {
    app = createApp();
    const log = await directLog(app);
    await log.append(chunk('Hello\r\n "world" \u2028'), toolCall());
    await log.complete('Hello');
    const query = `subscription { agentStream(id: "a1") {
      __typename id seq type ts executionId attempt data } }`;
    const response = await get({}, undefined, query);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    expect(log.masked(await response.text())).toMatchInlineSnapshot(`
      "retry: 1000
      :

      id: 1-EPOCH
      event: next
      data: {"data":{"agentStream":{"__typename":"LlmChunkEvent","id":"1-EPOCH","seq":1,"type":"LLM_CHUNK","ts":"2026-01-02T03:04:05.678Z","executionId":"a1","attempt":1,"data":{"content":"Hello\\r\\n \\"world\\"  "}}}}

      id: 2-EPOCH
      event: next
      data: {"data":{"agentStream":{"__typename":"ToolCallEvent","id":"2-EPOCH","seq":2,"type":"TOOL_CALL","ts":"2026-01-02T03:04:05.678Z","executionId":"a1","attempt":1,"data":{"toolCallId":"t1","toolName":"search","status":"started"}}}}

      id: 3-EPOCH
      event: next
      data: {"data":{"agentStream":{"__typename":"CompleteEvent","id":"3-EPOCH","seq":3,"type":"COMPLETE","ts":"2026-01-02T03:04:05.678Z","executionId":"a1","attempt":1,"data":{"status":"SUCCESS","result":"Hello","durationMs":7}}}}

      id: 3-EPOCH
      event: complete
      data: 

      "
    `);
  });

  test('`id:` is sent even if the selection omits id, for GET and POST', async () => {
    app = createApp();
    const log = await directLog(app);
    await log.append(chunk('a'));
    await log.complete();
    const texts = [log.masked(await whole(get({}))), log.masked(await whole(post({})))];
    expect(texts[0]).toMatchInlineSnapshot(`
      "retry: 1000
      :

      id: 1-EPOCH
      event: next
      data: {"data":{"agentStream":{"seq":1}}}

      id: 2-EPOCH
      event: next
      data: {"data":{"agentStream":{"seq":2}}}

      id: 2-EPOCH
      event: complete
      data: 

      "
    `);
    expect(texts[1]).toBe(texts[0]);
  });

  test('an alias and an operation name change only the result', async () => {
    app = createApp();
    const log = await directLog(app);
    await log.complete();
    const query = 'query Q { __typename } subscription S { mine: agentStream(id: "a1") { seq } }';
    const path = `${graphqlPath(query)}&operationName=S`;
    const response = await app.request(path, { headers: EVENT_STREAM });
    expect(log.masked(await response.text())).toBe(
      'retry: 1000\n:\n\nid: 1-EPOCH\nevent: next\ndata: {"data":{"mine":{"seq":1}}}\n\n' +
        'id: 1-EPOCH\nevent: complete\ndata: \n\n',
    );
  });

  test('the first bytes are sent before anything was published', async () => {
    await using listening = await startApp();
    await directLog(listening);
    using stream = await openSse(listening.url + graphqlPath(SUBSCRIPTION, { id: 'a1' }));
    await stream.until(() => stream.text === 'retry: 1000\n:\n\n', 'the opening');
    expect(stream.status).toBe(200);
  });

  test('workflows and tasks have their own streams', async () => {
    app = createApp();
    for (const kind of ['workflow', 'task'] as const) {
      const log = await directLog(app, { kind, id: kind, mode: 'STRUCTURED' });
      await log.append(toolCall());
      await log.complete();
      const text = await whole(get({}, undefined, `subscription { ${kind}Stream(id: "${kind}") { type } }`));
      expect(log.masked(text)).toBe(
        `retry: 1000\n:\n\nid: 1-EPOCH\nevent: next\ndata: {"data":{"${kind}Stream":{"type":"TOOL_CALL"}}}\n\n` +
          `id: 2-EPOCH\nevent: next\ndata: {"data":{"${kind}Stream":{"type":"COMPLETE"}}}\n\n` +
          'id: 2-EPOCH\nevent: complete\ndata: \n\n',
      );
    }
  });
});

const seqsOf = (text: string) => [...text.matchAll(/"seq":(\d+)/g)].map((match) => Number(match[1]));

describe('resuming a stream', () => {
  test.each([
    ['Last-Event-ID', (cursor: string) => get({}, cursor)],
    ['after', (cursor: string) => get({ after: cursor })],
    ['Last-Event-ID of a POST', (cursor: string) => post({}, cursor)],
    ['a bare Last-Event-ID', (cursor: string) => get({}, cursor.split('-')[0])],
    ['a bare after', (cursor: string) => get({ after: cursor.split('-')[0] })],
    ['after as a number', (cursor: string) => get({ after: Number(cursor.split('-')[0]) })],
  ])('resuming by %s gives exactly the remaining events', async (_, open) => {
    app = createApp();
    const log = await directLog(app);
    await log.append(...chunks(9));
    await log.complete();
    expect(seqsOf(await whole(open(`4-${log.epoch}`)))).toEqual(range(5, 10));
  });

  test('Last-Event-ID takes precedence over after, unless it is empty', async () => {
    app = createApp();
    const log = await directLog(app);
    await log.append(...chunks(9));
    await log.complete();
    const at = (seq: number) => `${seq}-${log.epoch}`;
    expect(seqsOf(await whole(get({ after: at(2) }, at(7))))).toEqual([8, 9, 10]);
    expect(seqsOf(await whole(get({ after: at(8) }, at(6))))).toEqual([7, 8, 9, 10]);
    expect(seqsOf(await whole(get({ after: at(8) }, '')))).toEqual([9, 10]);
    expect(seqsOf(await whole(post({ after: at(2) }, at(7))))).toEqual([8, 9, 10]);
  });

  test('`0-<epoch>` and `0` read from the start, without a reset', async () => {
    app = createApp();
    const log = await directLog(app);
    await log.append(...chunks(2));
    await log.complete();
    expect(seqsOf(await whole(get({}, `0-${log.epoch}`)))).toEqual([1, 2, 3]);
    expect(seqsOf(await whole(get({}, '0')))).toEqual([1, 2, 3]);
  });

  test.each([
    ['of another epoch', () => '2-zzzzzzzzzzzz'],
    ['above the head', (epoch: string) => `40-${epoch}`],
    ['above the head, bare', () => '40'],
    ['of another epoch, 0', () => '0-zzzzzzzzzzzz'],
  ])('a cursor %s gets `reset` (log_lost) and all events', async (_, cursor) => {
    app = createApp();
    const log = await directLog(app);
    await log.append(...chunks(2));
    await log.complete();
    const query = 'subscription { agentStream(id: "a1") { seq type attempt ... on ResetEvent { reason } } }';
    expect(log.masked(await whole(get({}, cursor(log.epoch), query)))).toMatch(
      /^retry: 1000\n:\n\nid: 0-EPOCH\nevent: next\ndata: {"data":{"agentStream":{"seq":0,"type":"RESET","attempt":1,"reason":"log_lost"}}}\n\nid: 1-EPOCH\n/,
    );
  });

  test('a live stream continues after its cursor, with events that were published in the meantime', async () => {
    app = createApp();
    const log = await directLog(app);
    await log.append(...chunks(3));
    const body = collect(await get({}, `2-${log.epoch}`));
    await settled();
    await log.append(...chunks(2, 4));
    await settled();
    expect(seqsOf(body.text)).toEqual([3, 4, 5]);
    await log.complete();
    await settled();
    expect(body.done).toBe(true);
    expect(seqsOf(body.text)).toEqual([3, 4, 5, 6]);
  });
});

describe('the end of a stream', () => {
  test('a GET with Last-Event-ID at the terminal event is 204, and a browser stops', async () => {
    app = createApp();
    const log = await directLog(app);
    await log.append(...chunks(3));
    await log.complete();
    for (const cursor of [`4-${log.epoch}`, '4']) {
      const response = await get({}, cursor);
      expect(response.status).toBe(204);
      expect(await response.text()).toBe('');
    }
    expect((await get({ after: '1' }, `4-${log.epoch}`)).status).toBe(204);
    expect(app.services.tails.size).toBe(0);
    expect(app.services.streams.size).toBe(0);
  });

  test('a POST, or a request with only `after`, at the terminal event is 200 with only `complete`', async () => {
    app = createApp();
    const log = await directLog(app);
    await log.append(...chunks(3));
    await log.complete();
    const at = `4-${log.epoch}`;
    const alone = 'retry: 1000\n:\n\nid: 4-EPOCH\nevent: complete\ndata: \n\n';
    for (const response of [await get({ after: at }), await post({ after: at }), await post({}, at)]) {
      expect(response.status).toBe(200);
      expect(log.masked(await response.text())).toBe(alone);
    }
    expect(app.services.tails.size).toBe(0);
  });

  test('an execution that fails ends with `error`, then `complete`', async () => {
    app = createApp();
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    await run.text('a');
    await run.fail(new Error('no more'), { status: 'CANCELED', code: 'STOPPED' });
    const query =
      'subscription { agentStream(id: "a1") { type ... on ErrorEvent { status message code } ... on CompleteEvent { status } } }';
    const text = await whole(get({}, undefined, query));
    expect(text).toContain(
      'data: {"data":{"agentStream":{"type":"ERROR","status":"CANCELED","message":"no more","code":"STOPPED"}}}\n\n',
    );
    expect(text).toMatch(/\nid: 3-\w+\nevent: complete\ndata: \n\n$/);
  });

  test('a rotation leaves the response unfinished, without `complete`', async () => {
    await using listening = await startApp();
    const log = await directLog(listening);
    await log.append(...chunks(2));
    using stream = await openSse(listening.url + graphqlPath(SUBSCRIPTION, { id: 'a1' }));
    await stream.take(2);
    listening.services.streams.rotateAll();
    expect(await stream.ended()).toBe('aborted');
    expect(stream.frames.map((frame) => frame.event)).toEqual(['next', 'next']);
    expect(stream.lastEventId).toBe(`2-${log.epoch}`);
  });
});

describe('a client that disconnects', () => {
  test('a client that disconnects releases viewer, tail and stream', async () => {
    await using listening = await startApp();
    await directLog(listening);
    const stream = await openSse(listening.url + graphqlPath(SUBSCRIPTION, { id: 'a1' }));
    await stream.until(() => stream.comments.length > 0);
    expect(listening.services.tails.size).toBe(1);
    stream.destroy();
    await expect.poll(() => listening.services.tails.size).toBe(0);
    expect(listening.services.streams.size).toBe(0);
  });

  test('a client that disconnects before its response releases everything', async () => {
    let answer = () => {};
    let checks = 0;
    await using listening = await startApp({
      authorize: () =>
        new Promise((resolve) => {
          checks += 1;
          answer = () => resolve({ read: 'granted' });
        }),
    });
    await directLog(listening);
    for (const path of [graphqlPath(SUBSCRIPTION, { id: 'a1' }), '/api/v0/executions/agents/a1/stream']) {
      const before = checks;
      const client = new AbortController();
      const sent = fetch(listening.url + path, { headers: EVENT_STREAM, signal: client.signal });
      await expect.poll(() => checks).toBe(before + 1);
      client.abort();
      await sent.catch(() => {});
      // The server has processed it once a later request has been answered.
      await fetch(`${listening.url}/health/live`);
      await new Promise((resolve) => setTimeout(resolve, 20));
      answer();
      await settled();
      await expect.poll(() => listening.services.tails.size).toBe(0);
      expect(listening.services.streams.size).toBe(0);
    }
  });
});
