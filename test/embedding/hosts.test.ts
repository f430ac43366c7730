// An embedded server responds as a server with its own port does: whatever the path, the router, the parsers before it and
// the method are.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import compression from 'compression';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createExecstream, createMemoryLog, type Execstream, listen } from '../../src/index.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { until } from '../support/wait.ts';

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** In these pieces, without a declared length. */
  readonly body?: readonly string[];
  /** Sends the last piece of the body after this. */
  readonly beforeLast?: () => Promise<void>;
}

interface Received {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends a request whose target and body are left as they are. */
function exchange(url: string, { method, path, headers, body, beforeLast }: Sent): Promise<Received> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = request({
      hostname,
      port,
      method,
      path,
      agent: false,
      headers: { 'x-user': 'ann', ...headers },
    });
    outgoing.on('error', reject);
    outgoing.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => {
        text += piece;
      });
      response.once('close', () => {
        resolve({ status: response.statusCode!, headers: response.headers, text });
        outgoing.destroy();
      });
    });
    const pieces = [...(body ?? [])];
    const last = pieces.pop();
    if (last !== undefined) outgoing.setHeader('transfer-encoding', 'chunked');
    for (const piece of pieces) outgoing.write(piece);
    const finish = () => void outgoing.end(last);
    if (beforeLast) beforeLast().then(finish, reject);
    else finish();
  });
}

interface Host {
  readonly url: string;
  close(): Promise<unknown>;
}

async function listenWith(listener: RequestListener): Promise<Host> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function create(basePath: string): Execstream {
  return createExecstream({
    ...{ log: createMemoryLog(), store: createMemoryStore(), basePath },
    authenticate: ({ headers }) => (headers.has('x-user') ? { id: 'ann' } : undefined),
    corsOrigins: ['https://app.example'],
    logger: { error: () => {} },
  });
}

type StartHost = (execstream: Execstream) => Promise<Host>;

const inRouters: StartHost = ({ node }) => {
  const [outer, inner] = [express.Router(), express.Router()];
  outer.use('/v1', inner);
  inner.use(node);
  return listenWith(express().use('/api', outer));
};
const atItsPath: StartHost = ({ node }) => listenWith(express().use('/streams', node));
const behindParsers: StartHost = ({ node }) => {
  const parsers = [express.json({ strict: false }), express.urlencoded({ extended: true }), express.text()];
  return listenWith(express().use(compression({ threshold: 0 }), ...parsers, node));
};
const inFastify: StartHost = async ({ node }) => {
  const app = fastify({ forceCloseConnections: true });
  await app.register(
    async (routes) => {
      routes.removeAllContentTypeParsers();
      routes.addContentTypeParser('*', (_request, _body, done) => done(null));
      routes.all('/streams*', (request_, reply) => {
        reply.hijack();
        node(request_.raw, reply.raw);
      });
    },
    { prefix: '/api' },
  );
  return { url: await app.listen({ port: 0, host: '127.0.0.1' }), close: () => app.close() };
};
const inHono: StartHost = ({ fetch }) => {
  const app = new Hono().basePath('/api').all('/streams/*', ({ req }) => fetch(req.raw));
  return listenWith(getRequestListener(app.fetch, { overrideGlobalObjects: false }));
};
const inNode: StartHost = ({ node }) => listenWith(node);

const STATE = '/api/v0/executions/agents/a1';
const JSON_TYPE = { 'content-type': 'application/json' };
const QUERY = JSON.stringify({ query: '{ __typename }' });
const LARGE = Array.from({ length: 4 }, () => ' '.repeat(64 * 1024));
const PREFLIGHT = { origin: 'https://app.example', 'access-control-request-method': 'PUT' };
/** The field names that are compared. */
const HEADERS =
  /^(content-type|allow|cache-control|retry-after|www-auth|access-control|x-content-type|location)/;

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PATCH'];
const PATHS = [
  '',
  '/',
  '/docs',
  '/docs/',
  '/openapi.json',
  '/health/live',
  '/graphql',
  '/graphql/',
  '/nope',
  '//',
  STATE,
];
const REQUESTS: readonly Sent[] = [
  ...METHODS.flatMap((method) => PATHS.map((path) => ({ method, path }))),
  { method: 'HEAD', path: `${STATE}/stream` },
  { method: 'OPTIONS', path: `${STATE}/stream` },
  { method: 'HEAD', path: '/graphql?query={__typename}' },
  { method: 'GET', path: '/graphql?query={__typename}' },
  { method: 'GET', path: '/api/v0/executions/agents/a%2F%2e%2e' },
  { method: 'OPTIONS', path: STATE, headers: PREFLIGHT },
  { method: 'OPTIONS', path: '/graphql', headers: PREFLIGHT },
  { method: 'OPTIONS', path: '/nope', headers: PREFLIGHT },
  { method: 'POST', path: '/graphql', headers: JSON_TYPE, body: [QUERY] },
  { method: 'POST', path: '/graphql', headers: JSON_TYPE, body: [QUERY.slice(0, 9), QUERY.slice(9)] },
  { method: 'POST', path: '/graphql', headers: JSON_TYPE, body: ['null'] },
  { method: 'POST', path: '/graphql', headers: JSON_TYPE, body: ['[]'] },
  { method: 'POST', path: '/graphql', headers: JSON_TYPE, body: ['7'] },
  { method: 'POST', path: '/graphql', headers: JSON_TYPE },
  { method: 'POST', path: '/graphql', headers: { 'content-type': 'text/plain' }, body: ['{'] },
  {
    ...{ method: 'POST', path: '/graphql', body: ['query=%7B+__typename+%7D'] },
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  },
  { method: 'PUT', path: '/api/v0/executions/tasks/t1', headers: JSON_TYPE, body: ['{"mode":', '"TEXT"}'] },
  { method: 'PUT', path: '/api/v0/executions/tasks/t2', headers: JSON_TYPE, body: ['true'] },
  { method: 'PUT', path: '/api/v0/executions/tasks/t3', headers: JSON_TYPE, body: ['{"mode":7}'] },
];
/** A parser before execstream responds to these itself. */
const UNPARSED: readonly Sent[] = [
  { method: 'POST', path: '/graphql', headers: JSON_TYPE, body: LARGE },
  { method: 'PUT', path: '/api/v0/executions/tasks/t4', headers: JSON_TYPE, body: Array(80).fill(LARGE[0]) },
  { method: 'POST', path: '/graphql', headers: JSON_TYPE, body: ['{'] },
  { method: 'PUT', path: '/api/v0/executions/tasks/t4', headers: JSON_TYPE, body: ['{'] },
];

/** The parts of a response that do not depend on time, without the base path. */
function comparable({ status, headers, text }: Received, basePath: string) {
  const names = Object.keys(headers).filter((name) => HEADERS.test(name));
  const isJson = headers['content-type']?.includes('json') && !text.includes('"token"');
  const body = isJson ? text : text.length > 0;
  // Times and epochs differ.
  const shown = {
    status,
    body,
    ...Object.fromEntries(names.toSorted().map((name) => [name, headers[name]])),
  };
  const masked = JSON.stringify(shown)
    .replaceAll(basePath, '')
    .replace(String.raw`"url\":\"/\"`, String.raw`"url\":\"\"`)
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/-[a-z0-9]{10,12}\b/g, '-EPOCH');
  return JSON.parse(masked);
}

describe('an embedded server', () => {
  let own: { readonly url: string; close(): Promise<void> };
  const expected = new Map<Sent, object>();

  async function begin(execstream: Execstream): Promise<void> {
    await execstream.publisher().begin({ kind: 'agent', id: 'a1' });
  }

  beforeAll(async () => {
    const execstream = create('/');
    own = await listen(execstream, { host: '127.0.0.1', port: 0 });
    await begin(execstream);
    for (const sent of [...REQUESTS, ...UNPARSED]) {
      const path = sent.path === '' ? '/' : sent.path;
      expected.set(sent, comparable(await exchange(own.url, { ...sent, path }), '//nothing'));
    }
  });
  afterAll(() => own.close());

  test.each([
    ['/api/v1/streams', '/api/v1/streams/', inRouters],
    ['/streams', '/streams', atItsPath],
    ['/streams', '/streams/', behindParsers],
    ['/api/streams', '/api/streams/', inFastify],
    ['/api/streams', '/api/streams', inHono],
    ['/a%20b/str%c3%b6me', '/a b/ströme', inNode],
    ['/%61%20b/str%C3%B6me', '/a%20b/ströme/', inNode],
  ])(
    'below %s with the base path %s responds as one with its own port: %o',
    async (prefix, basePath, start) => {
      const execstream = create(basePath);
      const host = await start(execstream);
      await begin(execstream);
      const requests = start === behindParsers ? REQUESTS : [...REQUESTS, ...UNPARSED];
      const link = new URL(basePath, 'http://localhost').pathname.replace(/\/$/, '');
      for (const sent of requests) {
        const received = await exchange(host.url, { ...sent, path: prefix + sent.path });
        expect([sent, comparable(received, link)]).toEqual([sent, expected.get(sent)]);
      }
      expect(execstream.streams.size).toBe(0);
      await execstream.close({ drainMs: 0 });
      await host.close();
    },
  );
});

describe('a request in progress while the server closes', () => {
  let closing: Promise<void> | undefined;
  let host: Host;
  afterEach(async () => {
    await closing;
    await host.close();
  });

  const put: Sent = {
    ...{ method: 'PUT', path: '/streams/api/v0/executions/tasks/t1', headers: JSON_TYPE },
    body: ['{"mode":', '"TEXT"}'],
  };
  const query: Sent = {
    ...{ method: 'POST', path: '/streams/graphql', headers: JSON_TYPE },
    body: [QUERY.slice(0, 9), QUERY.slice(9)],
  };

  test.each([
    ['a publishing request in Express', put, atItsPath, 201],
    ['a query in Express', query, atItsPath, 200],
    ['a query in Hono', query, inHonoAtItsPath, 200],
    // The parser passes it on when it is complete.
    ['a query after a parser', query, behindParsers, 503],
  ])('%s is completed, and `close` waits for it', async (_, sent, start, status) => {
    const execstream = create('/streams');
    host = await start(execstream);
    const readiness = async () =>
      (await exchange(host.url, { method: 'GET', path: '/streams/health/ready' })).status;
    let isClosed = false;
    const received = await exchange(host.url, {
      ...sent,
      async beforeLast() {
        // Requests are admitted in their order, so the first part was received before.
        expect(await readiness()).toBe(200);
        closing = execstream.close({ drainMs: 0 }).then(() => {
          isClosed = true;
        });
        if (status === 503) await closing;
        await until(async () => (await readiness()) === 503);
        expect(isClosed).toBe(status === 503);
      },
    });
    expect(received.status).toBe(status);
    if (status === 503) expect(received.headers['retry-after']).toMatch(/^\d+$/);
  });

  function inHonoAtItsPath({ fetch }: Execstream): Promise<Host> {
    const app = new Hono().all('/streams/*', ({ req }) => fetch(req.raw));
    return listenWith(getRequestListener(app.fetch, { overrideGlobalObjects: false }));
  }
});
