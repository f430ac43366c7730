// HTTP/1.1 as clients, proxies and load balancers meet it, by raw sockets against a listening server: status lines, forms
// of request targets, methods, idle connections, and bytes that are not a request (RFC 9110, RFC 9112).
import { once } from 'node:events';
import { STATUS_CODES } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TITLES } from '../../src/rest/problem.ts';
import { ROUTES } from '../../src/rest/routes.ts';
import { createConnections } from '../../src/server/connections.ts';
import { DEFAULT_SERVER_LIMITS } from '../../src/server/limits.ts';
import { type DirectLog, directLog, graphqlPath, type ListeningApp, startApp } from '../support/app.ts';
import { until } from '../support/wait.ts';

let app: ListeningApp;
let log: DirectLog;
const sockets: Socket[] = [];
async function start(options: Parameters<typeof startApp>[0] = {}): Promise<void> {
  app = await startApp(options);
  log = await directLog(app);
}
beforeEach(() => start());
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await app.close();
});

const HOST = 'Host: 127.0.0.1\r\n';
const STATE = '/api/v0/executions/agents/a1';
const STREAM = `${STATE}/stream`;
const SUBSCRIPTION = graphqlPath('subscription { agentStream(id: "a1") { seq } }');
const request = (target: string, { method = 'GET', headers = '', body = '' } = {}) =>
  `${method} ${target} HTTP/1.1\r\n${HOST}${headers}${body && `Content-Length: ${body.length}\r\n`}\r\n${body}`;

interface Exchange {
  readonly socket: Socket;
  text: string;
  isClosed: boolean;
}

/** Opens a connection and writes bytes. */
function open(bytes = '', port = Number(new URL(app.url).port)): Exchange {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  const exchange: Exchange = { socket, text: '', isClosed: false };
  socket.setEncoding('latin1').on('data', (piece: string) => {
    exchange.text += piece;
  });
  socket
    .on('error', () => {})
    .on('close', () => {
      exchange.isClosed = true;
    });
  if (bytes) socket.write(bytes, 'latin1');
  return exchange;
}

const statusLines = ({ text }: Pick<Exchange, 'text'>) => text.match(/HTTP\/1\.1 \d{3}[^\r]*(?=\r\n)/g) ?? [];

/** The text of the responses to pipelined requests, the last of which closes the connection. */
async function exchange(...requests: string[]): Promise<string> {
  const last = request('/health/live', { headers: 'Connection: close\r\n' });
  const connection = open(requests.join('') + last);
  await until(() => connection.isClosed);
  return connection.text;
}

/** The first response without the headers that differ between two requests. */
const comparable = (text: string) => text.replace(/^Date: .*$/gm, '');

describe('status lines', () => {
  const standard = (status: string) => `HTTP/1.1 ${status} ${TITLES[Number(status)] ?? STATUS_CODES[status]}`;
  const BATCH = { method: 'POST', body: '{"events":[]}' };

  test.each([
    ['200', request(STATE)],
    ['200', request('/health/live')],
    ['200', request('/health/ready')],
    ['200', request('/metrics')],
    ['200', request('/')],
    ['200', request(graphqlPath('{ __typename }'))],
    ['200', request(STREAM, { method: 'HEAD' })],
    ['201', request('/api/v0/executions/agents/new', { method: 'PUT', body: '{"mode":"TEXT"}' })],
    ['204', request('/health/live', { method: 'OPTIONS' })],
    ['400', request(`${STREAM}?poll_ms=1`)],
    ['400', request(graphqlPath('{ nonsense'), { headers: 'Accept: application/graphql-response+json\r\n' })],
    ['400', request(`${STATE}/events`, BATCH)],
    ['404', request('/nothing')],
    ['405', request(STATE, { method: 'DELETE' })],
    ['406', request(STREAM, { headers: 'Accept: image/png\r\n' })],
    ['406', request(graphqlPath('{ __typename }'), { headers: 'Accept: image/png\r\n' })],
    ['413', request('/graphql', { method: 'POST', body: ' '.repeat(200_000) })],
    ['417', request('/health/live', { headers: 'Expect: a miracle\r\n' })],
    ['421', `GET /health/live HTTP/1.1\r\nHost: example.com\r\n\r\n`],
    ['422', request('/api/v0/executions/agents/new', { method: 'PUT', body: '{"mode":1}' })],
  ])('a response with the status %s has the reason phrase of RFC 9110', async (status, bytes) => {
    expect(statusLines({ text: await exchange(bytes) })).toEqual([standard(status), standard('200')]);
  });

  test.each([STREAM, SUBSCRIPTION])('the response of a stream has a reason phrase: %s', async (path) => {
    const stream = open(request(path, { headers: 'Accept: text/event-stream\r\n' }));
    await until(() => stream.text.includes('retry:'));
    expect(stream.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  test('rejections of authentication have a reason phrase', async () => {
    await app.close();
    await start({ auth: { key: { shared: 'x'.repeat(40) } } });
    for (const path of [STATE, SUBSCRIPTION]) {
      expect(statusLines({ text: await exchange(request(path)) })[0]).toBe('HTTP/1.1 401 Unauthorized');
    }
  });
});

describe('PROTOCOL.md, Execution ids: `.` and `..`', () => {
  test.each(['.', '..'])(
    '%s is an id where a client sends it encoded, also in an absolute target',
    async (id) => {
      const { complete } = await directLog(app, { id });
      await complete('done');
      const encoded = id.replaceAll('.', '%2E');
      const path = `/api/v0/executions/agents/${encoded}`;
      for (const target of [path, `http://127.0.0.1${path.toLowerCase()}`, `${path}?events=`]) {
        const response = await exchange(request(target));
        expect(response).toMatch(/^HTTP\/1.1 200/);
        expect(response).toContain(`"id":"${id}"`);
      }
      expect(await exchange(request(`/health/${encoded}/live`))).toMatch(/^HTTP\/1.1 404/);
    },
  );
});

describe('an absolute target (RFC 9112, 3.2.2)', () => {
  const origin = () => `http://127.0.0.1:${new URL(app.url).port}`;
  const paths = ROUTES.filter(({ method }) => method === 'GET' || method === 'ANY').map(({ path }) =>
    path.replace('{id}', 'a1').replace('{file}', 'init.js').replace('*', 'x'),
  );

  test.each([...new Set([...paths, '/nothing', '/?a=1', `${STATE}%20`, '//x'])])(
    'has the same response as its path: %s',
    async (path) => {
      if (path === '/metrics' || path.endsWith('/stream')) return;
      const target = `${origin()}${path}`;
      const [plain, absolute] = [await exchange(request(path)), await exchange(request(target))];
      expect(comparable(absolute)).toBe(comparable(plain));
    },
  );

  test.each(['http://127.0.0.1', 'http://localhost:1', 'HTTP://localhost', 'https://localhost:4000'])(
    'opens streams, queries and publishes: %s',
    async (host) => {
      for (const path of [STREAM, SUBSCRIPTION]) {
        const stream = open(request(`${host}${path}`, { headers: 'Accept: text/event-stream\r\n' }));
        await until(() => stream.text.includes('retry:'));
        stream.socket.destroy();
      }
      const body = '{"mode":"TEXT"}';
      const query = '{"query":"{ __typename }"}';
      const headers = 'Content-Type: application/json\r\n';
      const text = await exchange(
        request(`${host}/graphql`, { method: 'POST', headers, body: query }),
        request(`/api/v0/executions/agents/b1`, { method: 'PUT', body }),
        request(`${host}/api/v0/executions/agents/b2`, { method: 'PUT', body }),
        request(`${host}${STATE}`, { method: 'OPTIONS' }),
        request(`${host}?x=1`),
        request(host),
      );
      const statuses = statusLines({ text }).map((line) => line.slice(9, 12));
      expect(statuses).toEqual(['200', '201', '201', '204', '200', '200', '200']);
      expect(text).toContain('{"data":{"__typename":"Query"}}');
    },
  );

  test('replaces Host, which decides whether the server is meant', async () => {
    const elsewhere = 'GET http://example.com/health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
    const here = 'GET http://127.0.0.1/health/live HTTP/1.1\r\nHost: example.com\r\n\r\n';
    const statuses = statusLines({ text: await exchange(elsewhere, here) }).map((line) => line.slice(9, 12));
    expect(statuses).toEqual(['421', '200', '200']);
  });

  test.each([
    'http://',
    'http:///health/live',
    'http://user@127.0.0.1/health/live',
    'http://[::1/health/live',
    'http://127.0.0.1:99999/health/live',
    'ftp://127.0.0.1/health/live',
    '127.0.0.1/health/live',
  ])('that is not valid is 400 with a problem document: %s', async (target) => {
    const text = await exchange(request(target));
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*?"title":"Bad Request"/);
  });

  test('does not replace the Host that HTTP/1.1 requires', async () => {
    const text = await exchange('GET http://127.0.0.1/health/live HTTP/1.1\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('an idle connection', () => {
  test('makes room for a new one when the limit of connections is reached', async () => {
    const limits = { ...DEFAULT_SERVER_LIMITS, maxConnections: 2 };
    const connections = createConnections(limits, (_, response) => void response.end('{"status":"ok"}'));
    connections.http.listen(0, '127.0.0.1');
    await once(connections.http, 'listening');
    const { port } = connections.http.address() as AddressInfo;
    const idle = [open(request('/'), port), open(request('/'), port)];
    await until(() => idle.every(({ text }) => text.includes('ok')));
    // This one is still rejected.
    await until(() => open('', port).isClosed || idle.every(({ isClosed }) => isClosed));
    const served = open(request('/'), port);
    await until(() => served.text.includes('ok'));
    served.socket.destroy();
    await connections.close(1_000);
  });

  const limits = { ...DEFAULT_SERVER_LIMITS, requestTimeoutMs: 200, keepAliveTimeoutMs: 1_500 };

  test('is kept longer than a load balancer keeps it (60 s), by default', async () => {
    const { headers } = await fetch(`${app.url}/health/live`);
    expect(headers.get('keep-alive')).toBe('timeout=75');
  });

  test('is kept for the configured time, which the timeout of a request does not limit, and then closed', async () => {
    await app.close();
    await start({ serverLimits: limits });
    const connection = open(request('/health/live'));
    await until(() => statusLines(connection).length === 1);
    // Several checks of the timeout of requests pass in this time.
    await new Promise((resolve) => setTimeout(resolve, 800));
    connection.socket.write(request(STATE));
    await until(() => statusLines(connection).length === 2);
    const since = performance.now();
    await until(() => connection.isClosed, { timeoutMs: 10_000 });
    expect(performance.now() - since).toBeGreaterThan(1_000);
    expect(statusLines(connection)).toEqual(['HTTP/1.1 200 OK', 'HTTP/1.1 200 OK']);
  });

  test('without any request is closed without a response, which a proxy would read as that to its first request', async () => {
    await app.close();
    await start({ serverLimits: limits });
    const connection = open();
    await until(() => connection.isClosed, { timeoutMs: 10_000 });
    expect(connection.text).toBe('');
  });
});

describe('bytes that are not a request', () => {
  test.each([
    [
      'is too long',
      request('/health/live', { method: 'HEAD', headers: `X: ${'x'.repeat(17_000)}\r\n` }),
      431,
    ],
    ['has an invalid target', `HEAD /\x80 HTTP/1.1\r\n${HOST}\r\n`, 400],
  ])('a HEAD request that %s gets no body', async (_, bytes, status) => {
    const connection = open(bytes);
    await until(() => connection.isClosed);
    const [head, body] = connection.text.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(body).toBe('');
  });

  test.each([
    ['an unknown protocol', 'hello\r\n\r\n', 400],
    ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['a header without a name', `GET / HTTP/1.1\r\n: x\r\n\r\n`, 400],
    ['two lengths', `POST /graphql HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400],
    ['a header that is too long', request('/health/live', { headers: `X: ${'x'.repeat(17_000)}\r\n` }), 431],
    ['a URL that is too long', request(`/health/live?x=${'x'.repeat(17_000)}`), 431],
  ])('%s gets a problem document, and the connection is closed', async (_, bytes, status) => {
    const connection = open(bytes);
    await until(() => connection.isClosed);
    const [head, body] = connection.text.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} ${TITLES[status]}\r\n`));
    expect(head).toMatch(/\r\nContent-Type: application\/problem\+json\r\n[\s\S]*\r\nConnection: close$/);
    expect(head).toContain('X-Content-Type-Options: nosniff');
    expect(JSON.parse(body!)).toMatchObject({ status, title: TITLES[status], code: 'BAD_USER_INPUT' });
  });

  test.each([STREAM, SUBSCRIPTION])(
    'after a request for a stream close it, and nothing is added: %s',
    async (path) => {
      const stream = open(request(path, { headers: 'Accept: text/event-stream\r\n' }));
      await until(() => stream.text.includes('retry:'));
      stream.socket.write('hello\r\n\r\n');
      await until(() => stream.isClosed);
      expect(statusLines(stream)).toEqual(['HTTP/1.1 200 OK']);
      expect(stream.text).not.toContain('Bad Request');
      await until(() => app.services.streams.size === 0);
    },
  );

  test.each([
    ['in a body', 'Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n', 'not a chunk\r\n'],
    ['after a body with a wrong length', 'Content-Length: 1\r\n\r\na', 'bc\r\n\r\n'],
  ])('%s, after the response, close the connection without another response', async (_, head, rest) => {
    const connection = open(`POST /nowhere HTTP/1.1\r\n${HOST}${head}`);
    await until(() => connection.text.includes('\r\n\r\n'));
    connection.socket.write(rest);
    await until(() => connection.isClosed);
    expect(statusLines(connection)).toEqual(['HTTP/1.1 404 Not Found']);
  });

  test('that stop in the middle of a request are 408', async () => {
    await app.close();
    await start({ serverLimits: { ...DEFAULT_SERVER_LIMITS, requestTimeoutMs: 200 } });
    const connection = open('GET / HTTP/1.1\r\nX-Slow');
    await until(() => connection.isClosed, { timeoutMs: 10_000 });
    expect(connection.text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[\s\S]*"status":408/);
  });
});

describe('methods and bodies', () => {
  const getPaths = ROUTES.filter(({ method }) => method === 'GET').map(({ path }) =>
    path.replace('{id}', 'a1').replace('{file}', 'init.js'),
  );

  test.each(getPaths)(
    'HEAD %s has the head of GET, no body, and leaves the connection usable',
    async (path) => {
      const head = await exchange(request(path, { method: 'HEAD' }));
      const [first, ...others] = head.split('\r\n\r\n');
      const get = open(request(path));
      await until(() => get.text.includes('\r\n\r\n'));
      const typeOf = (text: string) => /^content-type: (.*)$/im.exec(text)?.[1];
      expect(first!.split('\r\n')[0]).toBe(get.text.split('\r\n')[0]);
      expect(typeOf(first!)).toBe(typeOf(get.text));
      expect(others.join('\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(app.services.streams.size).toBeLessThanOrEqual(1);
    },
  );

  test.each(ROUTES.map(({ path }) => path.replace('{id}', 'a1').replace('{file}', 'x').replace('*', 'x')))(
    'OPTIONS %s has Allow',
    async (path) => {
      const text = await exchange(request(path, { method: 'OPTIONS' }));
      expect(text).toMatch(/^HTTP\/1\.1 (204 No Content\r\n[\s\S]*?allow: |404 Not Found)/i);
    },
  );

  test('a body that waits for 100-continue is requested, and read', async () => {
    const body = '{"query":"{ __typename }"}';
    const headers = `Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n`;
    const connection = open(request('/graphql', { method: 'POST', headers }));
    await until(() => connection.text.startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
    connection.socket.write(body);
    await until(() => connection.text.includes('{"data":{"__typename":"Query"}}'));
    expect(statusLines(connection)).toEqual(['HTTP/1.1 100 Continue', 'HTTP/1.1 200 OK']);
  });

  test.each(['{"a":1}', 'x'.repeat(100_000)])('a body of a GET is ignored', async (body) => {
    const text = await exchange(request(STATE, { body }), request('/health/live', { body }));
    expect(statusLines({ text })).toEqual(Array(3).fill('HTTP/1.1 200 OK'));
    const stream = open(request(STREAM, { body }));
    await until(() => stream.text.includes('retry:'));
    await log.complete('all');
    await until(() => stream.text.includes('event: complete'));
  });

  test('an offer to upgrade to another protocol is ignored', async () => {
    const h2c =
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n';
    const connection = open(request('/health/live', { headers: h2c }));
    await until(() => statusLines(connection).length === 1);
    connection.socket.write(request('/health/live'));
    await until(() => statusLines(connection).length === 2);
    expect(statusLines(connection)).toEqual(['HTTP/1.1 200 OK', 'HTTP/1.1 200 OK']);
  });
});
