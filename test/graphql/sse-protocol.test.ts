// The rules of GraphQL over SSE (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md), one test for each,
// against a server on a socket.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chunks, directLog, EVENT_STREAM, type ListeningApp, startApp } from '../support/app.ts';
import { openSse, type SseStream } from '../support/sse.ts';

const TOKEN = 'x-graphql-event-stream-token';
const JSON_BODY = { 'content-type': 'application/json' };
const WATCH = 'subscription { agentStream(id: "a1") { seq } }';
const OPEN = 'subscription { agentStream(id: "open") { seq } }';

let app: ListeningApp;
beforeAll(async () => {
  app = await startApp();
  const ended = await directLog(app);
  await ended.append(...chunks(2));
  await ended.complete();
  const open = await directLog(app, { id: 'open' });
  await open.append(...chunks(1));
});
afterAll(() => app.close());

describe('distinct connections mode', () => {
  const post = (body: unknown, headers: Record<string, string> = EVENT_STREAM) =>
    fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { ...JSON_BODY, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const get = (query: string) =>
    fetch(`${app.url}/graphql?${new URLSearchParams({ query })}`, { headers: EVENT_STREAM });
  /** The events of a finished stream, with parsed data. */
  const eventsOf = async (response: Response) =>
    [...(await response.text()).matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].map(([, event, data]) => [
      event,
      data === '' ? undefined : JSON.parse(data!),
    ]);

  test.each([
    ['POST', () => post({ query: WATCH })],
    ['GET', () => get(WATCH)],
  ])('a subscription by %s is a stream of results, followed by `complete`', async (_, send) => {
    const response = await send();
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(await eventsOf(response)).toEqual([
      ...[1, 2, 3].map((seq) => ['next', { data: { agentStream: { seq } } }]),
      ['complete', undefined],
    ]);
  });

  test.each([
    ['POST', () => post({ query: '{ __typename }' })],
    ['GET', () => get('{ __typename }')],
  ])('a query by %s is one result, followed by `complete`', async (_, send) => {
    expect(await eventsOf(await send())).toEqual([
      ['next', { data: { __typename: 'Query' } }],
      ['complete', undefined],
    ]);
  });

  test.each([
    ['a validation error', { query: '{ nothing }' }],
    ['a syntax error', { query: '{' }],
    ['a missing query', {}],
    ['a body that is not JSON', '{'],
    ['variables that are not an object', { query: '{ __typename }', variables: 'x' }],
    ['an unknown operation name', { query: 'query A { __typename }', operationName: 'B' }],
    ['a rejected subscription', { query: 'subscription { agentStream(id: "nobody") { seq } }' }],
  ])('%s is reported through the accepted connection', async (_, body) => {
    const response = await post(body);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const [[next, result], ...rest] = (await eventsOf(response)) as [[string, { errors: object[] }]];
    expect([next, result.errors.length, rest]).toEqual(['next', 1, [['complete', undefined]]]);
  });

  test('a mutation by GET is not executed', async () => {
    const [[, result]] = (await eventsOf(await get('mutation { revokeStreamToken(token: "x") }'))) as [
      [string, { data?: unknown; errors: object[] }],
    ];
    expect([result.data, result.errors.length]).toEqual([undefined, 1]);
  });

  test('a subscription ends when its client closes the connection', async () => {
    const open = app.services.streams.size;
    const stream = await openSse(`${app.url}/graphql?${new URLSearchParams({ query: OPEN })}`);
    await stream.take(1);
    stream.destroy();
    await expect.poll(() => app.services.streams.size).toBe(open);
  });
});

describe('single connection mode', () => {
  const send = (method: string, headers: Record<string, string> = {}, query = '', body?: unknown) =>
    fetch(`${app.url}/graphql/stream${query}`, {
      method,
      headers: { ...(body === undefined ? {} : JSON_BODY), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  const reserve = async () => (await send('PUT')).text();
  const operate = (token: string, body: unknown) => send('POST', { [TOKEN]: token }, '', body);
  const operation = (query: string, operationId?: unknown) => ({ query, extensions: { operationId } });
  const connect = (token: string): Promise<SseStream> =>
    openSse(`${app.url}/graphql/stream`, { headers: { [TOKEN]: token } });
  const dataOf = (stream: SseStream) => stream.frames.map(({ event, data }) => [event, JSON.parse(data)]);

  test('a reservation is 201 with a new token in the body', async () => {
    const responses = [await send('PUT'), await send('PUT', { accept: 'text/plain' })];
    expect(responses.map(({ status }) => status)).toEqual([201, 201]);
    expect(responses[0]!.headers.get('content-type')).toMatch(/^text\/plain/);
    const tokens = await Promise.all(responses.map((response) => response.text()));
    expect(new Set(tokens).size).toBe(2);
  });

  test('a connection presents its token as a header or in the URL', async () => {
    using byHeader = await connect(await reserve());
    using byUrl = await openSse(`${app.url}/graphql/stream?token=${encodeURIComponent(await reserve())}`);
    expect([byHeader.status, byUrl.status]).toEqual([200, 200]);
    expect(byUrl.headers['content-type']).toMatch(/^text\/event-stream/);
  });

  test('a reservation has one connection at a time', async () => {
    const token = await reserve();
    using _ = await connect(token);
    expect((await send('GET', { ...EVENT_STREAM, [TOKEN]: token })).status).toBe(409);
  });

  test('a reservation cannot be registered again', async () => {
    expect((await send('PUT', { [TOKEN]: await reserve() })).status).toBe(409);
  });

  test('an accepted operation is 202, and its results carry its id', async () => {
    const token = await reserve();
    using stream = await connect(token);
    expect((await operate(token, operation(WATCH, 'o1'))).status).toBe(202);
    await stream.take(4);
    expect(dataOf(stream)).toEqual([
      ...[1, 2, 3].map((seq) => ['next', { id: 'o1', payload: { data: { agentStream: { seq } } } }]),
      ['complete', { id: 'o1' }],
    ]);
  });

  test('results wait for the connection', async () => {
    const token = await reserve();
    expect((await operate(token, operation('{ __typename }', 'o1'))).status).toBe(202);
    using stream = await connect(token);
    await stream.take(2);
    expect(dataOf(stream)).toEqual([
      ['next', { id: 'o1', payload: { data: { __typename: 'Query' } } }],
      ['complete', { id: 'o1' }],
    ]);
  });

  test('a subscription ends with DELETE and its id, and its connection stays open', async () => {
    const token = await reserve();
    using stream = await connect(token);
    await operate(token, operation(OPEN, 'o1'));
    await stream.take(1);
    expect((await send('DELETE', { [TOKEN]: token }, '?operationId=o1')).status).toBe(200);
    await operate(token, operation('{ __typename }', 'o2'));
    await stream.frame(({ data }) => data.includes('"o2"'), 'the next operation');
    expect(stream.end).toBeUndefined();
  });

  test.each([
    ['a missing operation id', 400, operation('{ __typename }')],
    ['a missing query', 400, { extensions: { operationId: 'o1' } }],
    ['a body that is not JSON', 400, '{'],
    ['variables that are not an object', 400, { ...operation('{ __typename }', 'o1'), variables: 'x' }],
    ['a syntax error', 400, operation('{', 'o1')],
    ['a validation error', 400, operation('{ nothing }', 'o1')],
  ])('%s is %d with the errors in the response', async (_, status, body) => {
    const response = await operate(await reserve(), body);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect([response.status, (await response.json()).errors.length]).toEqual([status, 1]);
  });

  test('an id that is in use is 409', async () => {
    const token = await reserve();
    await operate(token, operation(OPEN, 'o1'));
    expect((await operate(token, operation(OPEN, 'o1'))).status).toBe(409);
  });

  test('an operation of an unknown reservation is 404, and a DELETE without an id is 400', async () => {
    expect((await operate('unknown', operation('{ __typename }', 'o1'))).status).toBe(404);
    expect((await send('DELETE', { [TOKEN]: await reserve() })).status).toBe(400);
  });

  test('a mutation by GET is 405', async () => {
    const query = new URLSearchParams({
      query: 'mutation { revokeStreamToken(token: "x") }',
      extensions: '{"operationId":"o1"}',
    });
    expect((await send('GET', { [TOKEN]: await reserve() }, `?${query}`)).status).toBe(405);
  });

  test('another method is 405 with the permitted ones', async () => {
    const response = await send('PATCH', { [TOKEN]: await reserve() });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST, PUT, DELETE']);
  });
});
