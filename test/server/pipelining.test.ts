// HTTP/1.1 pipelining, by raw sockets against a listening server.
import { once } from 'node:events';
import { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { queryObjects } from 'node:v8';
import { afterEach, describe, expect, test } from 'vitest';
import { DEFAULT_SERVER_LIMITS } from '../../src/server/limits.ts';
import { chunk, directLog, graphqlPath, type ListeningApp, startApp } from '../support/app.ts';
import { until } from '../support/wait.ts';

const STREAM = '/api/v0/executions/agents/a1/stream';
const SUBSCRIPTION = graphqlPath('subscription { agentStream(id: "a1") { seq } }');
const LIVE = '/health/live';

const request = (path: string, headers = '') =>
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n${headers}\r\n`;

interface RawClient {
  readonly socket: Socket;
  text: string;
  closed: boolean;
}

const clients: RawClient[] = [];
afterEach(() => {
  for (const { socket } of clients.splice(0)) socket.destroy();
});

async function open(app: ListeningApp): Promise<RawClient> {
  const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
  const client: RawClient = { socket, text: '', closed: false };
  clients.push(client);
  socket.setEncoding('utf8').on('data', (piece: string) => {
    client.text += piece;
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    client.closed = true;
  });
  await once(socket, 'connect');
  return client;
}

const statuses = ({ text }: RawClient) =>
  Array.from(text.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => Number(status));

describe('pipelined requests for streams', () => {
  test.each([
    ['REST', STREAM],
    ['GraphQL', SUBSCRIPTION],
  ])('a connection has one open stream over %s, and none after it closes', async (_, path) => {
    await using app = await startApp();
    await directLog(app);
    const client = await open(app);
    client.socket.write(request(path).repeat(10));
    await until(() => app.services.streams.size > 0);
    await until(() => client.text.includes('retry: 1000'));
    expect(app.services.streams.size).toBe(1);
    expect(app.services.streams.opened).toBe(1);
    client.socket.destroy();
    await until(() => app.services.streams.size === 0, { timeoutMs: 2_000 });
    expect(app.services.streams.opened).toBe(1);
  });

  test('200 pipelined requests in one write close the connection and leave no stream', async () => {
    await using app = await startApp();
    await directLog(app);
    const client = await open(app);
    client.socket.write(request(STREAM).repeat(200));
    await until(() => client.closed, { timeoutMs: 2_000 });
    await until(() => app.services.streams.size === 0, { timeoutMs: 2_000 });
    expect((await fetch(app.url + LIVE)).status).toBe(200);
  });

  test('a request that waits for a stream is handled after the stream has ended', async () => {
    await using app = await startApp();
    const log = await directLog(app);
    const client = await open(app);
    client.socket.write(request(STREAM) + request(LIVE));
    await until(() => app.services.streams.size === 1);
    await log.append(chunk('a'));
    await until(() => client.text.includes('data: a'));
    expect(statuses(client)).toEqual([200]);
    await log.complete();
    await until(() => statuses(client).length === 2);
    expect(client.text).toMatch(/event: complete[\s\S]*\r\n0\r\n\r\nHTTP\/1\.1 200 [\s\S]*\{"status":"ok"\}/);
  });

  test('a second stream on a connection opens after the first, and ends with the connection', async () => {
    await using app = await startApp();
    const first = await directLog(app);
    await directLog(app, { id: 'a2' });
    const client = await open(app);
    client.socket.write(request(STREAM) + request(STREAM.replace('a1', 'a2')));
    await until(() => app.services.streams.size === 1);
    await first.complete();
    await until(() => app.services.streams.opened === 2);
    expect(app.services.streams.size).toBe(1);
    client.socket.destroy();
    await until(() => app.services.streams.size === 0, { timeoutMs: 2_000 });
  });

  test('a client that closes only its half of the connection ends the stream', async () => {
    await using app = await startApp();
    await directLog(app);
    const client = await open(app);
    client.socket.write(request(STREAM).repeat(3));
    await until(() => app.services.streams.size === 1);
    client.socket.end();
    await until(() => app.services.streams.size === 0, { timeoutMs: 2_000 });
  });
});

describe('requests in flight on a connection', () => {
  test('pipelined requests up to the limit get their responses in order', async () => {
    await using app = await startApp();
    const client = await open(app);
    const paths = Array.from({ length: DEFAULT_SERVER_LIMITS.maxPipelined }, (_, i) => `/nothing/${i}`);
    client.socket.write(paths.map((path) => request(path)).join(''));
    await until(() => statuses(client).length === paths.length);
    const responded = Array.from(client.text.matchAll(/not found: (\/nothing\/\d+)/g), ([, path]) => path);
    expect(responded).toEqual(paths);
    // The connection is free again.
    client.socket.write(request(LIVE).repeat(paths.length));
    await until(() => statuses(client).length === 2 * paths.length);
  });

  test('the body of a waiting request is read when its turn comes', async () => {
    await using app = await startApp();
    const client = await open(app);
    const body = JSON.stringify({ query: '{ __typename }', extensions: { filler: 'x'.repeat(100_000) } });
    const post =
      'POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n' +
      `Content-Length: ${body.length}\r\n\r\n${body}`;
    client.socket.write(request(LIVE) + post + post + request(LIVE));
    await until(() => statuses(client).length === 4);
    expect(statuses(client)).toEqual([200, 200, 200, 200]);
    expect(client.text.split('{"data":{"__typename":"Query"}}')).toHaveLength(3);
  });

  test.each([
    ['streams', request(STREAM)],
    ['requests without Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['requests with an unknown expectation', request(LIVE, 'Expect: a miracle\r\n')],
    ['requests that expect 100-continue', request(LIVE, 'Expect: 100-continue\r\n')],
  ])('600 KB of %s after a stream do not retain memory', async (_, flood) => {
    await using app = await startApp();
    await directLog(app);
    const client = await open(app);
    client.socket.write(request(STREAM));
    await until(() => app.services.streams.size === 1);
    client.socket.write(flood.repeat(Math.ceil(600_000 / flood.length)));
    await until(() => client.closed || app.services.streams.size === 0, { timeoutMs: 2_000 });
    await until(
      () => queryObjects(ServerResponse, { format: 'count' }) <= DEFAULT_SERVER_LIMITS.maxPipelined,
    );
  });

  test('the number of waiting requests in the whole server is limited', async () => {
    await using app = await startApp();
    await directLog(app);
    const opened: RawClient[] = [];
    for (let i = 0; i < 80; i += 1) {
      const client = await open(app);
      opened.push(client);
      client.socket.write(request(STREAM).repeat(DEFAULT_SERVER_LIMITS.maxPipelined));
    }
    // 39 connections with 63 waiting requests each are 2,457.
    await until(() => opened.filter(({ closed }) => closed).length === 80 - 39);
    // A client that sends requests sequentially is served.
    expect((await fetch(app.url + LIVE)).status).toBe(200);
    for (const { socket } of opened) socket.destroy();
    await until(() => app.services.streams.size === 0);
    const client = await open(app);
    client.socket.write(request(LIVE).repeat(DEFAULT_SERVER_LIMITS.maxPipelined));
    await until(() => statuses(client).length === DEFAULT_SERVER_LIMITS.maxPipelined);
  });

  test('a request without Host is 400 and one with an unknown expectation 417, as problem documents', async () => {
    await using app = await startApp();
    const client = await open(app);
    client.socket.write(`GET / HTTP/1.1\r\n\r\n${request(LIVE, 'Expect: a miracle\r\n')}`);
    await until(() => statuses(client).length === 2);
    expect(statuses(client)).toEqual([400, 417]);
    expect(client.text.match(/application\/problem\+json/g)).toHaveLength(2);
  });

  test('a stopping server ends streams that requests wait for', async () => {
    const app = await startApp();
    await directLog(app);
    const client = await open(app);
    client.socket.write(request(STREAM).repeat(5));
    await until(() => app.services.streams.size === 1);
    const from = performance.now();
    await app.close();
    expect(performance.now() - from).toBeLessThan(4_000);
    expect(app.services.streams.size).toBe(0);
  });
});
