// The handler as a listener of HTTP servers of others: Node's HTTP/1.1 and HTTP/2, and middleware of Express.
import { once } from 'node:events';
import { createServer, type RequestListener, ServerResponse } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { createGzip, gzipSync } from 'node:zlib';
import compression from 'compression';
import express, { type RequestHandler } from 'express';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Caller } from '../../src/index.ts';
import { listen } from '../../src/server/node-server.ts';
import {
  type App,
  type AppOptions,
  chunk,
  chunks,
  createApp,
  type DirectLog,
  directLog,
} from '../support/app.ts';
import { openSse } from '../support/sse.ts';
import { until } from '../support/wait.ts';

const AUTH = { auth: { authenticate: (): Caller => ({ id: 'ann' }) } };
const STREAM = '/streams/api/v0/executions/agents/a1/stream';
const QUERY = { query: '{ __typename }' };

let app: App;
let log: DirectLog;
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function create(options: AppOptions = {}): Promise<App['services']> {
  app = createApp({ basePath: '/streams', ...AUTH, ...options });
  closers.push(() => app.close());
  log = await directLog(app);
  return app.services;
}

/** Serves a listener on 127.0.0.1, or on another address. */
async function serve(listener: RequestListener, host = '127.0.0.1'): Promise<string> {
  const server = createServer(listener).listen(0, host);
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("in Node's own server", () => {
  test('a path outside the base path is 404 as a problem, or left to the next handler', async () => {
    const { node } = await create();
    const alone = await serve(node);
    const outside = await fetch(`${alone}/graphql`);
    expect([outside.status, await outside.json()]).toMatchObject([404, { detail: 'not found: /graphql' }]);
    expect(outside.headers.get('x-content-type-options')).toBe('nosniff');
    const first = await serve((request, response) =>
      node(request, response, () => response.writeHead(200).end('mine')),
    );
    expect(await (await fetch(`${first}/graphql`)).text()).toBe('mine');
    expect((await fetch(`${first}/streams/health/live`)).status).toBe(200);
    expect((await fetch(`${first}/streams/nope`)).status).toBe(404);
  });

  test('frames are written to the response, whose methods middleware may replace; direct writes have to be chosen', async () => {
    for (const [directWrites, isDirect] of [
      [true, false],
      ['everywhere', true],
    ] as const) {
      const { node } = await create({ settings: { directWrites } });
      const write = vi.spyOn(ServerResponse.prototype, 'write');
      using stream = await openSse(`${await serve(node)}${STREAM}`);
      await log.append(...chunks(2));
      await stream.take(2);
      expect(write.mock.calls.length === 0).toBe(isDirect);
      write.mockRestore();
    }
  });

  test('a client that reads nothing is disconnected, and costs one write until then', async () => {
    const { node, streams } = await create({ settings: { heartbeatMs: 50, stalledMs: 200 } });
    const socket = connect(Number(new URL(await serve(node)).port), '127.0.0.1');
    socket.pause();
    socket.write(`GET ${STREAM} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    await until(() => streams.size === 1);
    await until(async () => {
      await log.append(chunk('x'.repeat(60_000)));
      return streams.size === 0;
    });
    socket.destroy();
  });

  test('without authentication a connection to an address of the network is 421, whatever its Host is', async () => {
    const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    const outer = addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
    const { node } = await create({ auth: undefined as never });
    const url = await serve(node, '0.0.0.0');
    expect((await fetch(`${url}/streams/health/live`)).status).toBe(200);
    expect((await fetch(`${url}/streams/health/live`, { headers: { host: 'evil.example' } })).status).toBe(
      200,
    );
    if (outer === undefined) return;
    const socket = connect(Number(new URL(url).port), outer);
    socket.write('GET /streams/health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    const [answer] = await once(socket.setEncoding('utf8'), 'data');
    expect(answer).toMatch(/^HTTP\/1\.1 421 /);
    socket.destroy();
  });
});

describe('over HTTP/2', () => {
  async function open() {
    const { node, streams } = await create();
    const server = createHttp2Server(node as never).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    closers.push(() => {
      client.destroy();
      server.close();
    });
    const send = (headers: Record<string, string>, body = '') => {
      const sent = client.request(headers);
      const received = { text: '', status: 0, code: undefined as number | undefined, isClosed: false };
      sent.setEncoding('utf8').on('data', (piece) => {
        received.text += piece;
      });
      sent.on('response', (response) => {
        received.status = response[':status']!;
      });
      sent.on('error', () => {});
      sent.on('close', () => Object.assign(received, { isClosed: true, code: sent.rstCode }));
      if (body) sent.end(body);
      return received;
    };
    return { send, streams };
  }

  test('a query is executed, and a stream is complete', async () => {
    const { send } = await open();
    const json = { ':path': '/streams/graphql', ':method': 'POST', 'content-type': 'application/json' };
    const query = send(json, JSON.stringify(QUERY));
    await until(() => query.isClosed);
    expect([query.status, JSON.parse(query.text)]).toEqual([200, { data: { __typename: 'Query' } }]);
    const stream = send({ ':path': STREAM });
    await log.append(chunk('a'));
    await log.complete();
    await until(() => stream.isClosed);
    expect([stream.code, stream.text]).toEqual([0, expect.stringContaining('event: complete')]);
  });

  test('a rotated stream is reset after its last frame, and the connection serves other requests', async () => {
    const { send, streams } = await open();
    await log.append(chunk('last'));
    const stream = send({ ':path': STREAM });
    await until(() => stream.text.includes('last'));
    streams.rotateAll();
    await until(() => stream.isClosed);
    expect(stream.code).toBe(2);
    const live = send({ ':path': '/streams/health/live' });
    await until(() => live.isClosed);
    expect(live.status).toBe(200);
  });
});

describe('in Express', () => {
  async function post(
    url: string,
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ) {
    const response = await fetch(`${url}/streams/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    return { status: response.status, body: await response.json().catch(() => undefined) };
  }

  test.each<[string, RequestHandler[]]>([
    ['no parser', []],
    ['express.json()', [express.json({ limit: '1mb' })]],
    ['express.raw()', [express.raw({ type: () => true, limit: '1mb' })]],
    ['express.text()', [express.text({ type: () => true, limit: '1mb' })]],
    [
      'express.json() that keeps the bytes',
      [
        express.json({
          limit: '1mb',
          verify: (request, _, bytes) => Object.assign(request, { rawBody: bytes }),
        }),
      ],
    ],
  ])('after %s a body is read, decoded and limited', async (_, parsers) => {
    const { node } = await create();
    const server = express().use(...(parsers.length > 0 ? parsers : [express.urlencoded()]), node);
    const url = await serve(server);
    const data = { status: 200, body: { data: { __typename: 'Query' } } };
    const text = JSON.stringify(QUERY);
    expect(await post(url, text)).toEqual(data);
    expect(await post(url, new Uint8Array(gzipSync(text)), { 'content-encoding': 'gzip' })).toEqual(data);
    const large = JSON.stringify({ ...QUERY, variables: { text: 'x'.repeat(200_000) } });
    expect((await post(url, large)).status).toBe(413);
    expect(app.errors).toEqual([]);
  });

  test('a path at which it is mounted is the base path', async () => {
    const { node } = await create();
    const url = await serve(express().use('/streams', node));
    expect((await fetch(`${url}/streams/health/live`)).status).toBe(200);
    expect(await (await fetch(`${url}/streams/`)).text()).toContain('href="/streams/graphql"');
    expect((await fetch(`${url}/streams/graphql?query={__typename}&a=1&a=2`)).status).toBe(200);
  });

  test('repeated parameters and those with brackets reach the route as they were sent', async () => {
    const { node } = await create();
    const url = await serve(express().set('query parser', 'extended').use(node));
    const twice = await fetch(`${url}${STREAM}?poll_ms=500&poll_ms=600`);
    expect([twice.status, await twice.json()]).toEqual([
      400,
      expect.objectContaining({ detail: expect.stringContaining('poll_ms') }),
    ]);
  });

  test('`compression()` compresses pages and JSON, but no stream', async () => {
    const { node } = await create();
    const url = await serve(express().use(compression({ threshold: 0 }), node));
    const headers = { 'accept-encoding': 'gzip' };
    expect((await fetch(`${url}/streams/openapi.json`, { headers })).headers.get('content-encoding')).toBe(
      'gzip',
    );
    using stream = await openSse(`${url}${STREAM}`, { headers });
    expect(stream.headers['content-encoding']).toBeUndefined();
    await log.append(chunk('a'));
    await stream.take(1);
  });

  test('a compressor that ignores `no-transform` is flushed after each frame', async () => {
    const { node } = await create();
    const compress: RequestHandler = (_, response, next) => {
      const gzip = createGzip();
      const { write } = response;
      gzip.on('data', (piece) => write.call(response, piece, 'utf8', () => {}));
      response.setHeader('content-encoding', 'gzip');
      Object.assign(response, {
        write: (piece: Uint8Array) => gzip.write(piece),
        flush: () => gzip.flush(),
      });
      next();
    };
    const url = await serve(express().use(compress, node));
    const response = await fetch(`${url}${STREAM}`, { headers: { 'accept-encoding': 'identity' } });
    let text = '';
    const reading = (async () => {
      for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>)
        text += Buffer.from(piece);
    })().catch(() => {});
    await until(() => text.includes('retry:'));
    await log.append(chunk('held back?'));
    await until(() => text.includes('held back?'));
    app.services.streams.rotateAll();
    await reading;
  });
});

test('authentication that is passed to `listen` is rejected, because it would have no effect there', async () => {
  const app = createApp();
  const options = { host: '127.0.0.1', port: 0, ...AUTH };
  await expect(listen(app.services, options)).rejects.toThrow(
    'auth: expected as an option of createExecstream',
  );
  await app.close();
});
