// Requests that are rejected, and how clients of event streams receive that.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import type { Permission } from '../../src/execution/permission.ts';
import {
  type App,
  chunk,
  createApp,
  directLog,
  EVENT_STREAM,
  graphqlPath,
  unfinishedText,
} from '../support/app.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';

let app: App;
let store: MemoryStore;
let permission: () => Permission;
beforeEach(async () => {
  store = createMemoryStore();
  permission = () => ({ read: 'granted' });
  app = createApp({ store, authorize: () => permission() });
  const log = await directLog(app);
  await log.append(chunk('a'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await app.close();
});

const get = (query: string, headers: Record<string, string> = {}, variables?: object) =>
  app.request(graphqlPath(query, variables), { headers: { ...EVENT_STREAM, ...headers } });
const post = (body: string, headers: Record<string, string> = {}) =>
  app.request('/graphql', {
    method: 'POST',
    headers: { ...EVENT_STREAM, 'content-type': 'application/json', ...headers },
    body,
  });
const postQuery = (query: string, headers: Record<string, string> = {}, variables?: object) =>
  post(JSON.stringify({ query, variables }), headers);

const AGENT = 'subscription { agentStream(id: "a1") { seq } }';

/** The errors of a rejection: opening, one `next` without an id, `complete`, and nothing else. */
async function rejectionOf(response: Response): Promise<{ code: string; message: string }[]> {
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  const text = await response.text();
  const match = /^retry: 1000\n:\n\nevent: next\ndata: (\{.*\})\n\nevent: complete\ndata: \n\n$/.exec(text);
  expect(match, text).not.toBeNull();
  const { errors } = JSON.parse(match![1]!);
  expect(Object.keys(errors[0].extensions)).toEqual(['code']);
  return errors.map((e: { message: string; extensions: { code: string } }) => ({
    code: e.extensions.code,
    message: e.message,
  }));
}

describe('a rejection is 200, one `next` with errors and without an id, then `complete`', () => {
  test.each([
    ['an unknown execution', 'NOT_FOUND', 'no such execution: nope', 'agentStream(id: "nope")'],
    ['one of another kind', 'NOT_FOUND', 'no such execution: a1', 'taskStream(id: "a1")'],
    ['a malformed cursor', 'BAD_CURSOR', '"x" is not a cursor', 'agentStream(id: "a1", after: "x")'],
    ['an empty cursor', 'BAD_CURSOR', '"" is not a cursor', 'agentStream(id: "a1", after: "")'],
    ['a cursor that is no string', 'BAD_CURSOR', 'is not a cursor', 'agentStream(id: "a1", after: {a: 1})'],
    ['a negative cursor', 'BAD_CURSOR', '"-1" is not a cursor', 'agentStream(id: "a1", after: -1)'],
    [
      'a pollMs below its limit',
      'BAD_USER_INPUT',
      'expected 250 to 2000, got 249',
      'agentStream(id: "a1", pollMs: 249)',
    ],
    [
      'a pollMs above its limit',
      'BAD_USER_INPUT',
      'expected 250 to 2000, got 2001',
      'agentStream(id: "a1", pollMs: 2001)',
    ],
    [
      'a pollMs that is not an Int',
      'BAD_USER_INPUT',
      'Int cannot represent',
      'agentStream(id: "a1", pollMs: "500")',
    ],
    ['an unknown event', 'BAD_USER_INPUT', 'NOPE', 'agentStream(id: "a1", events: [NOPE])'],
    [
      'an id with invalid characters',
      'BAD_USER_INPUT',
      'not an execution id',
      'agentStream(id: "a\\u0000b")',
    ],
    ['an empty id', 'BAD_USER_INPUT', 'not an execution id', 'agentStream(id: "")'],
    ['an unknown stream', 'BAD_USER_INPUT', 'otherStream', 'otherStream(id: "a1")'],
    ['an unknown argument', 'BAD_USER_INPUT', 'nope', 'agentStream(id: "a1", nope: 1)'],
    ['a missing id', 'BAD_USER_INPUT', 'id', 'agentStream'],
  ])('%s is rejected with %s', async (_, code, message, field) => {
    const query = `subscription { ${field} { seq } }`;
    for (const response of [await get(query), await postQuery(query)]) {
      const [error] = await rejectionOf(response);
      expect(error!.code).toBe(code);
      expect(error!.message).toContain(message);
    }
    expect(app.services.tails.size).toBe(0);
  });

  test('ids of 1,000 bytes are accepted, and ids of 1,001 are rejected', async () => {
    const open = (id: string) => get('subscription($id: ID!) { agentStream(id: $id) { seq } }', {}, { id });
    expect((await rejectionOf(await open('x'.repeat(1_000))))[0]!.code).toBe('NOT_FOUND');
    expect((await rejectionOf(await open('x'.repeat(1_001))))[0]!.code).toBe('BAD_USER_INPUT');
  });

  test.each([
    ['a malformed cursor', { after: 'x' }, 'BAD_CURSOR'],
    ['a value of the wrong type', { pollMs: 'x' }, 'BAD_USER_INPUT'],
    ['an unknown event type', { events: ['llm_chunk'] }, 'BAD_USER_INPUT'],
    ['a missing value', { id: undefined }, 'BAD_USER_INPUT'],
  ])('%s is rejected in variables', async (_, variables, code) => {
    const query = `subscription($id: ID!, $after: Cursor, $events: [EventType!], $pollMs: Int) {
      agentStream(id: $id, after: $after, events: $events, pollMs: $pollMs) { seq } }`;
    const all = { id: 'a1', ...variables };
    for (const response of [await get(query, {}, all), await postQuery(query, {}, all)]) {
      const [error] = await rejectionOf(response);
      expect(error!.code).toBe(code);
      expect(error!.message).toContain(`$${Object.keys(variables)[0]}`);
    }
  });

  test('a malformed Last-Event-ID is rejected', async () => {
    for (const header of ['x', '-1', '1-short', '01', '1-k3f9ab01zz-2', '1e3', '99999999999999999999']) {
      const [error] = await rejectionOf(await get(AGENT, { 'last-event-id': header }));
      expect(error!.code).toBe('BAD_CURSOR');
      expect(error!.message).toContain(`"${header}" is not a cursor`);
    }
  });

  test('an unknown field is rejected', async () => {
    const [error] = await rejectionOf(await get('subscription { agentStream(id: "a1") { nope } }'));
    expect(error).toEqual({
      code: 'BAD_USER_INPUT',
      message: 'Cannot query field "nope" on type "ExecutionEvent". Did you mean "type"?',
    });
  });

  test('a document that does not parse is rejected', async () => {
    for (const response of [await get('subscription {'), await postQuery('subscription {')]) {
      const [error] = await rejectionOf(response);
      expect(error).toEqual({ code: 'BAD_USER_INPUT', message: 'Syntax Error: Expected Name, found <EOF>.' });
    }
  });

  test.each([
    ['invalid JSON', '{"query": '],
    ['an array of nothing', '[]'],
    ['a number', '1'],
    ['no query', '{}'],
    ['a query that is no string', '{"query": 1}'],
    ['variables that are no object', '{"query": "{ __typename }", "variables": "x"}'],
  ])('a body that is %s is rejected', async (_, body) => {
    const [error] = await rejectionOf(await post(body));
    expect(error!.code).toBe('BAD_USER_INPUT');
  });

  test('a GET without a query, or with variables that are not valid JSON, is rejected', async () => {
    for (const path of ['/graphql', '/graphql?query=', `${graphqlPath(AGENT)}&variables={`]) {
      const response = await app.request(path, { headers: EVENT_STREAM });
      expect((await rejectionOf(response))[0]!.code).toBe('BAD_USER_INPUT');
    }
  });

  test('an operation that is not in the document, or not named among several, is rejected', async () => {
    const two =
      'subscription A { agentStream(id: "a1") { seq } } subscription B { agentStream(id: "a1") { seq } }';
    for (const path of [graphqlPath(two), `${graphqlPath(two)}&operationName=C`]) {
      const response = await app.request(path, { headers: EVENT_STREAM });
      expect((await rejectionOf(response))[0]!.code).toBe('BAD_USER_INPUT');
    }
  });

  test('an unknown mutation is rejected', async () => {
    const [error] = await rejectionOf(await get('mutation { nope }'));
    expect(error!.code).toBe('BAD_USER_INPUT');
  });

  test('two subscriptions in one operation are rejected', async () => {
    const query = 'subscription { a: agentStream(id: "a1") { seq } b: agentStream(id: "a1") { seq } }';
    const [error] = await rejectionOf(await get(query));
    expect(error!.code).toBe('BAD_USER_INPUT');
  });

  test('an execution is FORBIDDEN if it may not be read, and NOT_FOUND if the caller must not know of it', async () => {
    permission = () => ({ read: 'denied' });
    expect((await rejectionOf(await get(AGENT)))[0]).toEqual({
      code: 'FORBIDDEN',
      message: 'you may not read execution a1',
    });
    permission = () => ({ read: 'hidden' });
    const hidden = (await rejectionOf(await get(AGENT)))[0];
    expect(hidden).toEqual({ code: 'NOT_FOUND', message: 'no such execution: a1' });
  });

  test('an internal error is masked and logged, and nothing of it is sent', async () => {
    permission = () => {
      throw new TypeError('the password is hunter2');
    };
    for (const response of [await get(AGENT), await postQuery(AGENT)]) {
      const [error] = await rejectionOf(response);
      expect(error).toEqual({ code: 'INTERNAL', message: 'Unexpected error.' });
    }
    permission = () => {
      throw new ExecstreamError('INTERNAL', 'the password is hunter2');
    };
    expect(await (await get(AGENT)).text()).not.toContain('hunter2');
    expect(app.errors.length).toBeGreaterThan(0);
    expect(app.services.tails.size).toBe(0);
  });

  test.each(['development', 'production', 'test'])(
    'internal errors are masked with NODE_ENV=%s',
    async (environment) => {
      vi.stubEnv('NODE_ENV', environment);
      permission = () => {
        throw new TypeError('the password is hunter2');
      };
      const fresh = createApp({ store, authorize: () => permission() });
      for (const accept of ['text/event-stream', 'application/json']) {
        const response = await fresh.request(
          graphqlPath(accept === 'application/json' ? '{ execution(kind: AGENT, id: "a1") { id } }' : AGENT),
          { headers: { accept } },
        );
        const text = await response.text();
        expect(text).toContain('Unexpected error.');
        expect(text).not.toMatch(/hunter2|TypeError|node_modules/);
      }
    },
  );

  test("a caller's mistake is not logged as an error of the server", async () => {
    await get('subscription { agentStream(id: "nope") { seq } }');
    await get('subscription { nope }');
    expect(app.errors).toEqual([]);
  });
});

const rejectWith = (code: 'UNAUTHENTICATED' | 'TOO_MANY_STREAMS') => () => {
  throw new ExecstreamError(code, 'not now');
};

describe('codes with their own HTTP status: 401, 429 and 503', () => {
  test.each([
    ['UNAUTHENTICATED', 401, null],
    ['TOO_MANY_STREAMS', 429, '5'],
  ] as const)('%s is %d', async (code, status, retryAfter) => {
    permission = rejectWith(code);
    for (const response of [await get(AGENT), await postQuery(AGENT)]) {
      expect(response.status).toBe(status);
      expect(response.headers.get('retry-after')).toBe(retryAfter);
      const { errors } = (await response.json()) as { errors: { extensions: object }[] };
      expect(errors).toHaveLength(1);
      expect(errors[0]!.extensions).toEqual({ code });
    }
  });

  test('SOURCE_UNAVAILABLE is 503 with Retry-After', async () => {
    store.isAway = true;
    const response = await get(AGENT);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    const { errors } = (await response.json()) as { errors: unknown[] };
    expect(errors).toEqual([
      expect.objectContaining({
        message: 'memory store is unavailable',
        extensions: { code: 'SOURCE_UNAVAILABLE' },
      }),
    ]);
  });
});

describe('a temporary rejection of a request with Last-Event-ID', () => {
  test('a temporary rejection is 200 with a longer retry and a comment with the reason, and unfinished', async () => {
    store.isAway = true;
    for (const response of [
      await get(AGENT, { 'last-event-id': '1' }),
      await postQuery(AGENT, { 'last-event-id': '1' }),
    ]) {
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
      expect(await unfinishedText(response)).toBe('retry: 5000\n: memory store is unavailable\n\n');
    }
    store.isAway = false;
    permission = rejectWith('TOO_MANY_STREAMS');
    const rejected = await get(AGENT, { 'last-event-id': '1' });
    expect(await unfinishedText(rejected)).toBe('retry: 5000\n: not now\n\n');
  });

  test('an empty Last-Event-ID counts as absent', async () => {
    store.isAway = true;
    expect((await get(AGENT, { 'last-event-id': '' })).status).toBe(503);
  });

  test('401 remains 401, because it is not temporary', async () => {
    permission = rejectWith('UNAUTHENTICATED');
    expect((await get(AGENT, { 'last-event-id': '1' })).status).toBe(401);
  });
});

describe('a subscription and its Accept header', () => {
  test.each([
    ['application/json', 406],
    ['application/graphql-response+json', 406],
    ['multipart/mixed;deferSpec=20220824', 406],
    ['text/event-stream;q=0', 406],
    ['image/png', 406],
  ])('a subscription with Accept: %s is %d, and keeps no viewer', async (accept, status) => {
    const response = await app.request(graphqlPath(AGENT), { headers: { accept } });
    expect(response.status).toBe(status);
    const [{ message, extensions }] = (await response.json()).errors;
    expect([extensions.code, message]).toEqual([
      'NOT_ACCEPTABLE',
      expect.stringMatching(/^Accept: expected /),
    ]);
    expect(app.services.tails.size).toBe(0);
  });

  test.each([
    'text/event-stream',
    '*/*',
    'text/*',
    'text/html;q=0.1, text/event-stream',
    'Text/Event-Stream',
  ])('a subscription with Accept: %s is a stream', async (accept) => {
    const response = await app.request('/graphql', {
      method: 'POST',
      headers: { accept, 'content-type': 'application/json' },
      body: JSON.stringify({ query: AGENT }),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    await response.body!.cancel();
    expect(app.services.tails.size).toBe(0);
  });
});
