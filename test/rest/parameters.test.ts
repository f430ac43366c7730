// Query parameters: repeated ones, the format of `data`, and unknown ones (PROTOCOL.md, "REST aliases").
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EVENT_TYPES } from '../../src/event/events.ts';
import { startGuarded } from '../auth/guarded.ts';
import { chunk, directLog, EVENT_STREAM, type ListeningApp, startApp, TS, toolCall } from '../support/app.ts';
import { openSse } from '../support/sse.ts';

let app: ListeningApp;
beforeEach(async () => {
  app = await startApp();
});
afterEach(() => app.close());

const PATH = '/api/v0/executions/agents/a1/stream';
const get = (path: string, headers: Record<string, string> = EVENT_STREAM) =>
  fetch(app.url + path, { headers });

const typesOf = (text: string) => [...text.matchAll(/^event: (.+)$/gm)].map(([, type]) => type);

async function endedLog() {
  const log = await directLog(app);
  await log.append(
    chunk('one'),
    toolCall(),
    { type: 'warning', ts: TS, data: { code: 'W', message: 'w' } },
    chunk('  two\n\nlines\r\n'),
  );
  await log.complete();
  return log;
}

describe('PROTOCOL.md, REST aliases: repeated parameters', () => {
  test('repeated `events` are combined, also with lists and blanks', async () => {
    await endedLog();
    for (const query of [
      'events=warning&events=tool_call',
      'events=warning,tool_call',
      'events=warning,&events=&events=%20tool_call',
      'events=tool_call&events=warning&events=warning',
    ]) {
      expect(typesOf(await (await get(`${PATH}?${query}`)).text()), query).toEqual(['tool_call', 'warning']);
    }
    const wrong = await get(`${PATH}?events=warning&events=nonsense`);
    expect(wrong.status).toBe(400);
    expect(await wrong.json()).toMatchObject({
      detail: `events: expected ${EVENT_TYPES.join(', ')}, got "nonsense"`,
    });
  });

  test.each([
    ['poll_ms', '500', '600'],
    ['last_event_id', '1', '2'],
    ['data', 'text', 'json'],
    ['access_token', 'a', 'b'],
  ])('%s is rejected if it is repeated with another value', async (name, one, other) => {
    await endedLog();
    const response = await get(`${PATH}?${name}=${one}&x=1&${name}=${other}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: 'BAD_USER_INPUT',
      detail: `${name}: expected one value, got 2`,
    });
    // Also if the header takes precedence over the parameter.
    if (name === 'last_event_id') {
      const headers = { ...EVENT_STREAM, 'last-event-id': '1' };
      expect((await get(`${PATH}?last_event_id=1&last_event_id=2`, headers)).status).toBe(400);
    }
  });

  test.each([
    ['poll_ms', '500'],
    ['last_event_id', '1'],
    ['data', 'json'],
  ])('%s may be repeated with the same value, or empty', async (name, value) => {
    await endedLog();
    const once = await (await get(`${PATH}?${name}=${value}`)).text();
    for (const query of [`${name}=${value}&${name}=${value}`, `${name}=&${name}=${value}`]) {
      expect(await (await get(`${PATH}?${query}`)).text()).toBe(once);
    }
    expect((await get(`${PATH}?${name}=&${name}=`)).status).toBe(200);
  });

  test('repeated stream tokens are rejected where one is accepted, and removed elsewhere', async () => {
    await using guarded = await startGuarded();
    await directLog(guarded);
    const { token } = await guarded.services.streamTokens.mint({ id: 'ann' }, ['a1']);
    const send = (query: string, path = PATH) =>
      fetch(`${guarded.url}${path}?${query}`, { headers: EVENT_STREAM });
    const twice = await send(`access_token=${token}&access_token=other`);
    expect(twice.status).toBe(400);
    const body = await twice.text();
    expect(body).toContain('access_token: expected one value, got 2');
    expect(body).not.toContain(token);
    const graphql = await send(`access_token=${token}&access_token=other`, '/graphql');
    expect([graphql.status, await graphql.json()]).toEqual([
      400,
      {
        errors: [
          { message: 'access_token: expected one value, got 2', extensions: { code: 'BAD_USER_INPUT' } },
        ],
      },
    ]);
    const same = await send(`access_token=${token}&access_token=${token}`);
    expect(same.status).toBe(200);
    await same.body!.cancel();
    expect((await send('access_token=a&access_token=b', '/health/live')).status).toBe(200);
  });

  test.each([
    ['query', '{__typename}', '{a:__typename}'],
    ['variables', '{}', '{"a":1}'],
    ['operationName', 'A', 'B'],
    ['extensions', '{}', '{"a":1}'],
  ])('GraphQL by GET and as a form rejects a repeated %s', async (name, one, other) => {
    const form = new URLSearchParams([
      ...(name === 'query' ? [] : [['query', 'query A {__typename} query B {__typename}']]),
      [name, one],
      [name, other],
    ]);
    const expected = {
      errors: [{ message: `${name}: expected one value, got 2`, extensions: { code: 'BAD_USER_INPUT' } }],
    };
    const byGet = await get(`/graphql?${form}`, { accept: 'application/json' });
    expect([byGet.status, await byGet.json()]).toEqual([400, expected]);
    const posted = await fetch(`${app.url}/graphql`, { method: 'POST', body: form });
    expect([posted.status, await posted.json()]).toEqual([400, expected]);
  });

  test.each(['token', 'operationId', 'query', 'operationName', 'variables', 'extensions'])(
    'single connection mode rejects a repeated %s',
    async (name) => {
      for (const method of ['GET', 'PUT', 'POST', 'DELETE']) {
        const response = await fetch(`${app.url}/graphql/stream?${name}=a&${name}=b`, { method });
        expect([response.status, await response.json()], method).toEqual([
          400,
          {
            errors: [
              { message: `${name}: expected one value, got 2`, extensions: { code: 'BAD_USER_INPUT' } },
            ],
          },
        ]);
      }
    },
  );
});

test('an invalid last_event_id is rejected, also if the header takes precedence over it', async () => {
  await endedLog();
  const response = await get(`${PATH}?last_event_id=nonsense`, { ...EVENT_STREAM, 'last-event-id': '1' });
  expect([response.status, await response.json()]).toEqual([
    400,
    expect.objectContaining({ code: 'BAD_CURSOR' }),
  ]);
});

describe('PROTOCOL.md, REST aliases: the format of data', () => {
  test('data=json sends the data of every type as JSON, and data=text is the default', async () => {
    const log = await endedLog();
    const text = async (query: string) => log.masked(await (await get(PATH + query)).text());
    expect(await text('?data=json&events=llm_chunk,complete')).toMatchInlineSnapshot(`
      "retry: 1000
      :

      id: 1-EPOCH
      event: llm_chunk
      data: {"content":"one"}

      id: 4-EPOCH
      event: llm_chunk
      data: {"content":"  two\\n\\nlines\\r\\n"}

      id: 5-EPOCH
      event: complete
      data: {"status":"SUCCESS","result":"done","durationMs":7}

      "
    `);
    expect(await text('?data=text')).toBe(await text(''));
    expect(await text('?data=')).toBe(await text(''));
    expect(await text('')).toContain('data:   two\ndata: \ndata: lines\ndata: \n\n');
  });

  test('viewers of both formats at the same time get their own format live', async () => {
    const log = await directLog(app);
    using text = await openSse(app.url + PATH);
    using json = await openSse(`${app.url}${PATH}?data=json`);
    using json2 = await openSse(`${app.url}${PATH}?data=json`);
    await log.append(chunk('a\nb'));
    for (const stream of [text, json, json2]) await stream.take(1);
    expect(text.frames[0]!.data).toBe('a\nb');
    expect(json.frames[0]!.data).toBe('{"content":"a\\nb"}');
    expect(json2.frames).toEqual(json.frames);
  });

  test.each(['JSON', 'xml', 'text,json'])('data=%s is rejected by name', async (value) => {
    const response = await get(`${PATH}?data=${value}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: 'BAD_USER_INPUT',
      detail: `data: expected text or json, got "${value}"`,
    });
  });

  test('unknown parameters are ignored, also if they are repeated', async () => {
    await endedLog();
    const plain = await (await get(PATH)).text();
    expect(await (await get(`${PATH}?utm=1&utm=2&Data=json`)).text()).toBe(plain);
  });
});
