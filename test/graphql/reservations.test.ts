// PROTOCOL.md, GraphQL: reservations of single connection mode belong to the caller that created them.
import { createClient } from 'graphql-sse';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DEFAULT_SERVER_LIMITS } from '../../src/server/limits.ts';
import { bearer, type GuardedApp, startGuarded, tokenOf } from '../auth/guarded.ts';
import { chunks, directLog, EVENT_STREAM, range, settled, TS } from '../support/app.ts';
import { openSse } from '../support/sse.ts';

const HEADER = 'x-graphql-event-stream-token';

let app: GuardedApp;
let ann: Record<string, string>;
let others: Record<string, string>[];
beforeEach(async () => {
  app = await startGuarded();
  ann = bearer(await tokenOf({ tenant: 'acme' }));
  others = [
    bearer(await tokenOf({ sub: 'bob', tenant: 'acme' })),
    bearer(await tokenOf({ sub: 'ann', tenant: 'globex' })),
  ];
});
afterEach(() => app.close());

const stream = (method: string, headers: Record<string, string>, body?: string, query = '') =>
  fetch(`${app.url}/graphql/stream${query}`, { method, headers, ...(body && { body }) });

const OPERATION = JSON.stringify({ query: '{ __typename }', extensions: { operationId: 'o1' } });

test('another caller cannot connect to a reservation, run or end an operation on it, or take its name', async () => {
  const token = await (await stream('PUT', ann)).text();
  for (const other of others) {
    const headers = { ...other, [HEADER]: token };
    const responses = [
      await stream('GET', { ...headers, ...EVENT_STREAM }),
      await stream('GET', { ...other, ...EVENT_STREAM }, undefined, `?token=${token}`),
      await stream('POST', { ...headers, 'content-type': 'application/json' }, OPERATION),
      await stream('DELETE', headers, undefined, '?operationId=o1'),
      await stream('PUT', headers),
    ];
    expect(responses.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
  }
  const connected = await stream('GET', { ...ann, ...EVENT_STREAM, [HEADER]: token });
  expect(connected.status).toBe(200);
  const accepted = await stream(
    'POST',
    { ...ann, [HEADER]: token, 'content-type': 'application/json' },
    OPERATION,
  );
  expect(accepted.status).toBe(202);
  await connected.body!.cancel();
});

test('a client cannot choose the name of its reservation, because another could choose the same', async () => {
  expect((await stream('PUT', { ...ann, [HEADER]: 'mine' })).status).toBe(404);
});

test("graphql-sse's own client works unchanged, and sees what its caller may read", async () => {
  const log = await directLog(app, { tenant: 'acme' });
  await directLog(app, { id: 'other', tenant: 'globex' });
  await log.append({ type: 'warning', ts: TS, data: { code: 'C', message: 'm' } });
  await log.complete();
  const client = createClient({
    url: `${app.url}/graphql/stream`,
    singleConnection: true,
    headers: ann,
    retryAttempts: 0,
  });
  const types: unknown[] = [];
  for await (const { data } of client.iterate({ query: 'subscription { agentStream(id: "a1") { type } }' })) {
    types.push((data as { agentStream: { type: string } }).agentStream.type);
  }
  expect(types).toEqual(['WARNING', 'COMPLETE']);
  const hidden = client.iterate({ query: 'subscription { agentStream(id: "other") { type } }' });
  expect((await hidden.next()).value).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
  client.dispose();
});

const reserve = async () => (await stream('PUT', ann)).text();
const operation = (token: string, body: object, headers: Record<string, string> = {}) =>
  stream(
    'POST',
    { ...ann, [HEADER]: token, 'content-type': 'application/json', ...headers },
    JSON.stringify(body),
  );
const WRONG = { query: '{ nothing other }', extensions: { operationId: 'o1' } };
const WRONG_ERRORS = [
  {
    message: 'Cannot query field "nothing" on type "Query".',
    locations: [{ line: 1, column: 3 }],
    extensions: { code: 'BAD_USER_INPUT' },
  },
  {
    message: 'Cannot query field "other" on type "Query".',
    locations: [{ line: 1, column: 11 }],
    extensions: { code: 'BAD_USER_INPUT' },
  },
];

describe('errors of the single connection mode', () => {
  test('all errors of an invalid operation are returned with their codes', async () => {
    const response = await operation(await reserve(), WRONG);
    expect([response.status, await response.json()]).toEqual([400, { errors: WRONG_ERRORS }]);
  });

  test('an operation id is limited, because every message repeats it', async () => {
    const [token, id] = [await reserve(), 'x'.repeat(201)];
    const tooLong = await operation(token, { query: '{ __typename }', extensions: { operationId: id } });
    const [{ message, extensions }] = (await tooLong.json()).errors;
    expect([tooLong.status, message, extensions]).toEqual([
      400,
      'extensions.operationId: expected up to 200 characters, got 201',
      { code: 'BAD_USER_INPUT' },
    ]);
    const longest = { query: '{ __typename }', extensions: { operationId: id.slice(1) } };
    expect((await operation(token, longest)).status).toBe(202);
  });

  test.each([['application/json'], ['*/*']])('a mutation by GET is 405 (Accept: %s)', async (accept) => {
    const query = new URLSearchParams({
      query: 'mutation { revokeStreamToken(token: "x") }',
      extensions: '{"operationId":"o1"}',
    });
    const response = await stream(
      'GET',
      { ...ann, accept, [HEADER]: await reserve() },
      undefined,
      `?${query}`,
    );
    expect(response.status).toBe(405);
    expect((await response.json()).errors[0].message).toMatch(
      /only perform a mutation operation from a POST/,
    );
  });

  test('a syntax error is returned with a code', async () => {
    const response = await operation(await reserve(), { ...WRONG, query: '{' });
    expect([response.status, (await response.json()).errors]).toMatchObject([
      400,
      [{ message: expect.stringContaining('Syntax Error'), extensions: { code: 'BAD_USER_INPUT' } }],
    ]);
  });

  test('a request without a reservation that prefers an event stream receives them as a message', async () => {
    const response = await stream(
      'POST',
      { ...ann, accept: 'text/event-stream, application/json;q=0.5', 'content-type': 'application/json' },
      JSON.stringify(WRONG),
    );
    expect(response.status).toBe(200);
    const [next, complete] = (await response.text()).split('\n\n').slice(-3);
    expect(JSON.parse(next!.replace(/^event: next\ndata: /, ''))).toEqual({ errors: WRONG_ERRORS });
    expect(complete).toMatch(/^event: complete/);
  });

  test.each([
    ['a token of another caller', 'POST', 'x.y', undefined, 404, 'NOT_FOUND', 'Stream not found'],
    ['an unknown token', 'DELETE', '', '?operationId=o1', 404, 'NOT_FOUND', 'Stream not found'],
    ['an Accept header without JSON', 'POST', 'own', undefined, 406, 'NOT_ACCEPTABLE', 'Not Acceptable'],
    ['another method', 'PATCH', 'own', undefined, 405, 'METHOD_NOT_ALLOWED', 'Method Not Allowed'],
    ['no operation id', 'DELETE', 'own', undefined, 400, 'BAD_USER_INPUT', 'Operation ID is missing'],
  ])('%s leads to a body with a code', async (_, method, token, query, status, code, message) => {
    const headers = { ...ann, [HEADER]: token === 'own' ? await reserve() : token };
    const sent = status === 406 ? { ...headers, accept: 'image/png' } : headers;
    const body = method === 'POST' ? OPERATION : undefined;
    const response = await stream(method, { ...sent, 'content-type': 'application/json' }, body, query);
    expect([response.status, await response.json()]).toEqual([
      status,
      { errors: [{ message, extensions: { code } }] },
    ]);
  });
});
const run = (token: string) =>
  stream('POST', { ...ann, [HEADER]: token, 'content-type': 'application/json' }, OPERATION);

test('a reservation without a connection expires', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const [abandoned, connectedToken] = [await reserve(), await reserve()];
    const connected = await stream('GET', { ...ann, ...EVENT_STREAM, [HEADER]: connectedToken });
    expect((await run(abandoned)).status).toBe(202);
    await vi.advanceTimersByTimeAsync(30_000);
    expect([(await run(abandoned)).status, (await run(connectedToken)).status]).toEqual([404, 202]);
    await connected.body!.cancel();
  } finally {
    vi.useRealTimers();
  }
});

test('a single connection counts as a stream: it has heartbeats, and drains with the others', async () => {
  const token = await reserve();
  using connected = await openSse(`${app.url}/graphql/stream?token=${token}`, { headers: ann });
  await run(token);
  await connected.until(() => connected.frames.some(({ event }) => event === 'complete'), 'the result');
  expect(app.services.streams.size).toBe(1);
  app.services.streams.rotateAll();
  expect(await connected.ended()).toBe('aborted');
  expect(app.services.streams.size).toBe(0);
  // The client creates a new reservation.
  await expect.poll(async () => (await run(token)).status).toBe(404);
});

const operate = (token: string, operationId: string, query: string) =>
  stream(
    'POST',
    { ...ann, [HEADER]: token, 'content-type': 'application/json' },
    JSON.stringify({ query, extensions: { operationId } }),
  );
const WATCH = 'subscription { agentStream(id: "a1") { seq } }';

test('results wait in the log for a slow connection, which takes a few at a time', async () => {
  const log = await directLog(app, { tenant: 'acme' });
  for (let i = 0; i < 5; i += 1) await log.append(...chunks(100, i * 100));
  const token = await reserve();
  expect((await operate(token, 'o1', WATCH)).status).toBe(202);
  expect((await operate(token, 'o2', WATCH)).status).toBe(202);
  await settled(50);
  expect(app.services.graphql.counter.executions).toBeLessThan(10);
  using connected = await openSse(`${app.url}/graphql/stream?token=${token}`, { headers: ann });
  await log.complete();
  const ends = () => connected.frames.filter(({ event }) => event === 'complete').length === 2;
  await connected.until(ends, 'both operations to end', 15_000);
  for (const operation of ['o1', 'o2']) {
    const messages = connected.frames
      .filter(({ event }) => event === 'next')
      .map(({ data }) => JSON.parse(data))
      .filter(({ id }) => id === operation);
    expect(messages.map(({ payload }) => payload.data.agentStream.seq)).toEqual(range(1, 501));
  }
});

test('an operation that waits for its connection ends with the reservation', async () => {
  const log = await directLog(app, { tenant: 'acme' });
  await log.append(...chunks(100));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const token = await reserve();
    await operate(token, 'o1', WATCH);
    await settled();
    expect(app.services.tails.size).toBe(1);
    await vi.advanceTimersByTimeAsync(30_000);
  } finally {
    vi.useRealTimers();
  }
  await expect.poll(() => app.services.tails.size).toBe(0);
});

test('a reservation has up to 100 operations, and one that ends frees its place', async () => {
  const log = await directLog(app, { tenant: 'acme' });
  const token = await reserve();
  using connected = await openSse(`${app.url}/graphql/stream?token=${token}`, { headers: ann });
  for (let i = 0; i < 100; i += 1) expect((await operate(token, `o${i}`, WATCH)).status).toBe(202);
  const rejected = await operate(token, 'more', WATCH);
  expect([rejected.status, rejected.headers.get('retry-after')]).toEqual([429, '5']);
  expect(await rejected.json()).toMatchObject({
    errors: [{ message: 'too many operations: the limit is 100 for one reservation' }],
  });
  expect((await stream('DELETE', { ...ann, [HEADER]: token }, undefined, '?operationId=o1')).status).toBe(
    200,
  );
  await expect.poll(async () => (await operate(token, 'more', WATCH)).status).toBe(202);
  // A request that runs no operation takes no place.
  for (let i = 0; i < 5; i += 1) expect((await operate(token, 'bad', 'nonsense')).status).not.toBe(202);
  await log.complete();
  const ends = () => connected.frames.filter(({ event }) => event === 'complete').length >= 100;
  await connected.until(ends, 'all operations to end', 15_000);
  for (let i = 0; i < 100; i += 1) {
    expect((await operate(token, `again${i}`, '{ __typename }')).status).toBe(202);
  }
});

describe('with a limit of two reservations per caller', () => {
  const serverLimits = { ...DEFAULT_SERVER_LIMITS, reservationsPerCaller: 2 };
  beforeEach(async () => {
    await app.close();
    app = await startGuarded({ serverLimits });
  });

  test('the third reservation is 429 with Retry-After, and other callers still get theirs', async () => {
    const [first] = [await reserve(), await reserve()];
    using connected = await openSse(`${app.url}/graphql/stream?token=${first}`, { headers: ann });
    expect(connected.status).toBe(200);
    const rejected = await stream('PUT', ann);
    expect([rejected.status, rejected.headers.get('retry-after')]).toEqual([429, '5']);
    expect(await rejected.json()).toEqual({
      errors: [
        {
          message: 'too many open reservations: the limit is 2 for one caller',
          extensions: { code: 'TOO_MANY_REQUESTS' },
        },
      ],
    });
    for (const other of others) expect((await stream('PUT', other)).status).toBe(201);
  });

  test('a connection that ends frees its place', async () => {
    await reserve();
    for (let i = 0; i < 5; i += 1) {
      const token = await reserve();
      using connected = await openSse(`${app.url}/graphql/stream?token=${token}`, { headers: ann });
      expect((await stream('PUT', ann)).status).toBe(429);
      connected.destroy();
      await expect.poll(() => app.services.streams.size).toBe(0);
    }
  });

  test('a reservation that expires without a connection frees its place', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      await reserve();
      await reserve();
      expect((await stream('PUT', ann)).status).toBe(429);
      await vi.advanceTimersByTimeAsync(30_000);
      expect((await stream('PUT', ann)).status).toBe(201);
      expect((await stream('PUT', ann)).status).toBe(201);
      expect((await stream('PUT', ann)).status).toBe(429);
    } finally {
      vi.useRealTimers();
    }
  });

  test('a PUT that reserves nothing takes no place', async () => {
    const token = await reserve();
    const named = { ...ann, [HEADER]: token };
    for (let i = 0; i < 5; i += 1) {
      expect((await stream('PUT', named)).status).toBe(409);
      expect((await stream('PUT', { ...ann, accept: 'image/png' })).status).toBe(406);
      expect((await stream('PUT', { ...ann, [HEADER]: 'mine' })).status).toBe(404);
    }
    expect((await stream('PUT', ann)).status).toBe(201);
  });
});
