// The limits of a server, and the responses to requests above them (PROTOCOL.md, "Reconnecting").
import { Server } from 'node:http';
import { connect } from 'node:net';
import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { DEFAULT_SERVER_LIMITS, type Limits } from '../../src/server/limits.ts';
import { directLog, EVENT_STREAM, graphqlPath, startApp } from '../support/app.ts';
import { openSse } from '../support/sse.ts';
import { until } from '../support/wait.ts';
import { restUrl } from './reader.ts';

const SUBSCRIPTION = graphqlPath('subscription { agentStream(id: "a1") { seq } }');
const limits = (overrides: Partial<Limits>, streams: Partial<Limits['streams']> = {}): Limits => ({
  ...DEFAULT_SERVER_LIMITS,
  ...overrides,
  streams: { ...DEFAULT_SERVER_LIMITS.streams, ...streams },
});

describe('a full node', () => {
  test('a full node is 503 for new clients, and makes reconnecting ones wait until they are admitted', async () => {
    await using app = await startApp({ serverLimits: limits({}, { perNode: 1 }) });
    const log = await directLog(app);
    using first = await openSse(restUrl(app.url, 'a1'));
    const rest = await fetch(restUrl(app.url, 'a1'));
    expect([rest.status, rest.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await rest.json()).toMatchObject({
      code: 'CAPACITY',
      detail: expect.stringContaining('(1)'),
    });
    const graphql = await fetch(app.url + SUBSCRIPTION, { headers: EVENT_STREAM });
    expect([graphql.status, graphql.headers.get('retry-after')]).toEqual([503, '5']);
    for (const path of [restUrl(app.url, 'a1'), app.url + SUBSCRIPTION]) {
      using reconnected = await openSse(path, { lastEventId: `0-${log.epoch}` });
      expect(await reconnected.ended()).toBe('aborted');
      expect(reconnected.status).toBe(200);
      expect(reconnected.text).toMatch(/^retry: 5000\n: server is at its stream limit/);
    }
    first.destroy();
    await until(async () => (await fetch(restUrl(app.url, 'a1'), { method: 'GET' })).status === 200);
  });

  test('a full node still serves queries and health checks', async () => {
    await using app = await startApp({ serverLimits: limits({}, { perNode: 1 }) });
    await directLog(app);
    using _ = await openSse(restUrl(app.url, 'a1'));
    expect((await fetch(`${app.url}/api/v0/executions/agents/a1`)).status).toBe(200);
    expect((await fetch(`${app.url}/health/ready`)).status).toBe(200);
  });
});

describe('a caller with too many streams', () => {
  const shared = 'a shared key that is long enough, for tests only';
  const tokenOf = (sub: string) =>
    new SignJWT({})
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(sub)
      .setExpirationTime('5 min')
      .sign(new TextEncoder().encode(shared));

  test('a stream above the limit of a caller is 429 with Retry-After, and a closed stream frees its place', async () => {
    const auth = { key: { shared } } as never;
    await using app = await startApp({
      serverLimits: limits({}, { perCaller: 1, newPerSecond: 1_000 }),
      auth,
    });
    await directLog(app);
    const as = async (sub: string) => ({ headers: { authorization: `Bearer ${await tokenOf(sub)}` } });
    const first = await fetch(restUrl(app.url, 'a1'), await as('ann'));
    expect(first.status).toBe(200);
    const second = await fetch(restUrl(app.url, 'a1'), await as('ann'));
    expect([second.status, second.headers.get('retry-after')]).toEqual([429, '5']);
    expect(await second.json()).toMatchObject({ code: 'TOO_MANY_STREAMS' });
    const other = await fetch(restUrl(app.url, 'a1'), await as('bob'));
    expect(other.status).toBe(200);
    await first.body!.cancel();
    await until(async () => {
      const retried = await fetch(restUrl(app.url, 'a1'), await as('ann'));
      await retried.body!.cancel();
      return retried.status === 200;
    });
    await other.body!.cancel();
  });
});

describe('a request', () => {
  const post = (url: string, body: string | ReadableStream) =>
    fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      ...(typeof body !== 'string' && { duplex: 'half' }),
    } as RequestInit);
  const query = (bytes: number) =>
    JSON.stringify({ query: '{ __typename }', extensions: { filler: 'x'.repeat(bytes) } });

  test.each([
    ['with a declared length', (text: string) => text],
    ['in chunks', (text: string) => new Blob([text]).stream()],
  ])('a GraphQL request %s is served up to the size limit, and 413 above it', async (_, bodyOf) => {
    await using app = await startApp({ serverLimits: limits({ maxBodyBytes: 10_000 }) });
    const accepted = await post(app.url, bodyOf(query(5_000)));
    expect(await accepted.json()).toEqual({ data: { __typename: 'Query' } });
    const rejected = await post(app.url, bodyOf(query(10_000)));
    expect(rejected.status).toBe(413);
    expect(await rejected.json()).toEqual({
      errors: [{ message: 'body: larger than 10000 bytes', extensions: { code: 'BAD_USER_INPUT' } }],
    });
  });

  test('headers above the size limit are 431', async () => {
    await using app = await startApp({ serverLimits: limits({ maxHeaderBytes: 4_096 }) });
    const get = (bytes: number) =>
      fetch(`${app.url}/health/live`, { headers: { 'x-filler': 'x'.repeat(bytes) } });
    expect((await get(2_000)).status).toBe(200);
    expect((await get(5_000)).status).toBe(431);
  });

  test('an incomplete request times out, but a stream does not', async () => {
    await using app = await startApp({ serverLimits: limits({ requestTimeoutMs: 300 }) });
    await directLog(app);
    using stream = await openSse(restUrl(app.url, 'a1'));
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    let response = '';
    socket.setEncoding('utf8').on('data', (piece: string) => {
      response += piece;
    });
    socket.write('GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(response).toMatch(/^HTTP\/1\.1 408 /);
    expect(stream.end).toBeUndefined();
  });

  test('an invalid target is 400 without a stack trace', async () => {
    await using app = await startApp();
    for (const target of ['http://[::1', 'http://user@127.0.0.1/health/live', '*']) {
      const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
      let response = '';
      socket.setEncoding('utf8').on('data', (piece: string) => {
        response += piece;
      });
      socket.write(`OPTIONS ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
      await new Promise((resolve) => socket.once('close', resolve));
      expect(response).toMatch(/^HTTP\/1\.1 400 [\s\S]*application\/problem\+json/);
    }
  });

  test('a syntax error in single connection mode has a code and no stack trace', async () => {
    await using app = await startApp();
    const response = await fetch(`${app.url}/graphql/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: '=L{' }),
    });
    const text = await response.text();
    expect([response.status, text]).toEqual([
      200,
      expect.stringContaining('"extensions":{"code":"BAD_USER_INPUT"}'),
    ]);
    expect(text).not.toContain('node_modules');
  });
});

describe('a client that reads nothing of a response', () => {
  const openUnread = (url: string, path: string) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.pause();
    socket.on('error', () => {});
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n\r\n`);
    return socket;
  };
  const connectionsOf = (server: Server) =>
    new Promise<number>((resolve, reject) =>
      server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );

  test('a stalled client is disconnected after STALLED_MS, but one with an idle stream is not', async () => {
    const servers = new Set<Server>();
    const originalListen = Server.prototype.listen;
    Server.prototype.listen = function (this: Server, ...args: never[]) {
      servers.add(this);
      return originalListen.apply(this, args as never);
    } as never;
    await using app = await startApp({ settings: { stalledMs: 300 } }).finally(() => {
      Server.prototype.listen = originalListen;
    });
    const [http] = servers;
    await directLog(app);
    using stream = await openSse(restUrl(app.url, 'a1'));
    const unread = Array.from({ length: 5 }, () => openUnread(app.url, '/graphql'));
    await Promise.all(unread.map((socket) => new Promise((resolve) => socket.once('readable', resolve))));
    await until(async () => (await connectionsOf(http!)) === 1);
    expect(stream.end).toBeUndefined();
  });

  test('a stalled client does not retain a copy of the GraphiQL page', async () => {
    await using app = await startApp();
    // The first response creates the page.
    await (await fetch(`${app.url}/graphql`, { headers: { accept: 'text/html' } })).text();
    const before = process.memoryUsage().rss;
    const sockets = Array.from({ length: 50 }, () => openUnread(app.url, '/graphql'));
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('readable', resolve))));
    // Copies of nine megabytes each would be 450.
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
    for (const socket of sockets) socket.destroy();
  });
});
