// The handler as `fetch`, without a socket: what it reads of a request, what its responses are, and how it closes.
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Caller } from '../../src/index.ts';
import {
  type AppOptions,
  chunk,
  collect,
  createApp,
  directLog,
  EVENT_STREAM,
  graphqlPath,
  unfinishedText,
} from '../support/app.ts';
import { until } from '../support/wait.ts';

const ORIGIN = 'https://app.example';
const AUTH = { auth: { authenticate: (): Caller => ({ id: 'ann' }) } };
const STREAM = '/api/v0/executions/agents/a1/stream';
const QUERY = JSON.stringify({ query: '{ __typename }' });
const json = { 'content-type': 'application/json' };

function start(options: AppOptions = {}) {
  const app = createApp({ ...AUTH, ...options });
  const send = (path: string, init: RequestInit & { duplex?: 'half' } = {}) =>
    app.services.fetch(new Request(`${ORIGIN}${path}`, init));
  return { ...app, send };
}

/** A body that is sent in pieces, without a declared length. */
function pieces(count: number, bytes = 64 * 1024): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      if (sent === count) controller.close();
      else controller.enqueue(new Uint8Array(bytes).fill(32));
      sent += 1;
    },
  });
}

describe('bodies', () => {
  test.each([
    ['of a query', {}, QUERY, 200],
    ['with a coding', { 'content-encoding': 'gzip' }, gzipSync(QUERY), 200],
    ['above the limit', {}, QUERY + ' '.repeat(200_000), 413],
    ['above the limit, declared as small', { 'content-length': '10' }, QUERY + ' '.repeat(200_000), 413],
    ['in pieces above the limit', {}, pieces(10), 413],
    ['in pieces far above the limit', {}, pieces(1_000), 413],
    ['in pieces far above the limit, declared as small', { 'content-length': '10' }, pieces(1_000), 413],
    ['of 50 MB', { 'content-length': String(50 * 1024 * 1024) }, pieces(800), 413],
  ])('a GraphQL body %s has the status of its length: %#', async (_, headers, body, status) => {
    await using app = start();
    const init = { method: 'POST', headers: { ...json, ...headers }, body, duplex: 'half' as const };
    const response = await app.send('/graphql', init as RequestInit);
    expect(response.status).toBe(status);
    expect(await response.json()).toHaveProperty(status === 200 ? 'data' : 'errors');
  });

  test('a body that middleware has read is an error of the application, with the way out', async () => {
    await using app = start();
    const request = new Request(`${ORIGIN}/graphql`, { method: 'POST', headers: json, body: QUERY });
    await request.text();
    const response = await app.services.fetch(request);
    expect([response.status, await response.json()]).toEqual([
      500,
      expect.objectContaining({ code: 'INTERNAL' }),
    ]);
    expect(app.errors).toMatchObject([{ details: { err: { message: /mount execstream before it/ } } }]);
  });
});

describe('responses', () => {
  test.each(['/', '/docs', '/openapi.json', '/health/live', '/graphql?query={__typename}', '/nope', STREAM])(
    'a response is of the web platform, with the security headers: %s',
    async (path) => {
      await using app = start();
      await directLog(app);
      const response = await app.send(path);
      expect(response).toBeInstanceOf(Response);
      expect(response.body).toBeInstanceOf(ReadableStream);
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response.headers.get('referrer-policy')).toBe('no-referrer');
      expect(response.headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      await response.body!.cancel();
    },
  );

  test('CORS headers are set for the configured origins, also on a preflight', async () => {
    await using app = start({ corsOrigins: ['https://other.example'] });
    const headers = { origin: 'https://other.example', 'access-control-request-method': 'PUT' };
    for (const method of ['OPTIONS', 'GET']) {
      const response = await app.send(STREAM.replace('/stream', ''), { method, headers });
      expect(response.headers.get('access-control-allow-origin')).toBe('https://other.example');
    }
  });

  test('a stream is complete, and its body ends cleanly with the execution', async () => {
    await using app = start();
    const log = await directLog(app);
    const body = collect(await app.send(STREAM));
    await log.append(chunk('a'));
    await log.complete();
    await until(() => body.done);
    expect(log.masked(body.text)).toMatch(
      /^retry: 1000\n:\n\nid: 1-EPOCH\n.*id: 2-EPOCH\nevent: complete\n/s,
    );
  });

  test('a viewer that cancels the body, or whose request is aborted, is released', async () => {
    await using app = start();
    await directLog(app);
    const body = collect(await app.send(STREAM));
    await until(() => body.text !== '');
    await body.cancel();
    expect(app.services.streams.size).toBe(0);
    const aborting = new AbortController();
    await app.send(STREAM, { signal: aborting.signal });
    expect(app.services.streams.size).toBe(1);
    aborting.abort();
    await until(() => app.services.streams.size === 0 && app.services.tails.size === 0);
  });
});

describe('authentication', () => {
  test('a stream token is removed from the URL before anything reads it', async () => {
    const urls: string[] = [];
    const authenticate = ({ url }: Request) => {
      urls.push(url);
      return undefined;
    };
    await using app = start({ auth: { authenticate } });
    await directLog(app);
    const { token } = await app.services.streamTokens.mint({ id: 'ann' }, ['a1']);
    const accepted = await app.send(`${STREAM}?access_token=${token}`);
    expect(accepted.status).toBe(200);
    await accepted.body!.cancel();
    const path = `/api/v0/executions/agents/a1?access%5Ftoken=${token}&a=1`;
    expect((await app.send(path)).status).toBe(401);
    expect(urls).toEqual([`${ORIGIN}/api/v0/executions/agents/a1?a=1`]);
  });

  test.each([
    ['http://localhost:3000', {}, 200],
    ['http://127.0.0.1', {}, 200],
    [ORIGIN, {}, 421],
    ['http://localhost', { host: 'evil.example' }, 421],
    [ORIGIN, { host: 'localhost' }, 200],
  ])('without authentication only this machine is served: %s %j', async (origin, headers, status) => {
    await using app = createApp();
    const response = await app.services.fetch(new Request(`${origin}/health/live`, { headers }));
    expect(response.status).toBe(status);
  });
});

describe('the base path', () => {
  test.each(['/streams', '/a b', '/läuft/%2F', '/100%', '/@(x)'])(
    '%s precedes every link',
    async (basePath) => {
      await using app = start({ basePath });
      await directLog(app);
      const { path: base } = app.services.handler.basePath;
      const text = async (path: string) => (await app.send(base + path)).text();
      expect(await text('')).toBe(await text('/'));
      expect(await text('/')).toContain(`href="${base}/graphql"`);
      expect(await text('/')).not.toContain('{{');
      expect(await text('/docs')).toContain(`src="${base}/docs/start.js"`);
      expect(await text('/docs/')).toBe(await text('/docs'));
      expect(await text('/docs/start.js')).toContain(`'${base}/openapi.json'`);
      expect(JSON.parse(await text('/openapi.json')).servers).toEqual([{ url: base }]);
      const missing = await app.send(`${base}/nope/x`);
      expect(await missing.json()).toMatchObject({ status: 404, detail: `not found: ${base}/nope/x` });
      const created = await app.send(`${base}/api/v0/stream-tokens`, {
        method: 'POST',
        body: '{"executions":["a1"],"cookie":true}',
      });
      expect(created.headers.get('set-cookie')).toContain(`; Path=${base}; `);
    },
  );

  test("the scripts of the pages match their page's policy", async () => {
    await using app = start({ basePath: '/streams' });
    await using other = start();
    const policy = async (response: Response) => response.headers.get('content-security-policy');
    const [below, root] = [await policy(await app.send('/streams/')), await policy(await other.send('/'))];
    expect(below).toMatch(/script-src 'sha256-/);
    expect(below).not.toBe(root);
  });

  test('a path outside is 404, whether or not the caller is authenticated', async () => {
    await using app = start({ basePath: '/streams', auth: { authenticate: () => undefined } });
    for (const path of ['/', '/graphql', '/streamsx', '/health/live']) {
      const response = await app.send(path);
      expect([response.status, response.headers.get('content-type')]).toEqual([
        404,
        'application/problem+json',
      ]);
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect((await app.send('/streams/nope')).status).toBe(401);
  });

  test('single connection mode and subscriptions work below it', async () => {
    await using app = start({ basePath: '/streams' });
    const log = await directLog(app);
    await log.append(chunk('a'));
    await log.complete();
    const reserved = await app.send('/streams/graphql/stream', { method: 'PUT' });
    expect(reserved.status).toBe(201);
    const path = graphqlPath('subscription { agentStream(id: "a1") { seq } }');
    const resumed = await app.send(`/streams${path}`, { headers: { ...EVENT_STREAM, 'last-event-id': '1' } });
    expect(log.masked(await resumed.text())).toMatch(/^retry: 1000\n:\n\nid: 2-EPOCH\nevent: next\n/);
  });
});

describe('close', () => {
  test('open streams break off unfinished; new ones are 503; then every request is', async () => {
    await using app = start();
    const log = await directLog(app);
    await log.append(chunk('a'));
    const body = collect(await app.send(STREAM));
    await until(() => body.text.includes('llm_chunk'));
    await app.services.drain(0);
    const rejected = await app.send(STREAM);
    expect([rejected.status, rejected.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await rejected.json()).toMatchObject({ code: 'CAPACITY', detail: 'server is shutting down' });
    // A browser's EventSource would not reconnect after a 503.
    const reconnecting = await app.send(STREAM, { headers: { 'last-event-id': '1' } });
    expect(reconnecting.status).toBe(200);
    expect(await unfinishedText(reconnecting)).toBe('retry: 5000\n: server is shutting down\n\n');
    await until(() => body.broken);
    expect(body.text).not.toContain('complete');
    expect((await app.send('/graphql?query={__typename}')).status).toBe(200);
    await app.services.close({ drainMs: 0 });
    expect((await app.send(STREAM, { headers: { 'last-event-id': '1' } })).status).toBe(200);
    for (const path of ['/', STREAM, '/health/live', '/graphql?query={__typename}']) {
      const closed = await app.send(path);
      expect([closed.status, closed.headers.get('retry-after')]).toEqual([503, '5']);
    }
  });

  test('a request in progress is finished first', async () => {
    let release: (caller: Caller) => void = () => {};
    const authenticate = () =>
      new Promise<Caller>((resolve) => {
        release = resolve;
      });
    await using app = start({ auth: { authenticate } });
    const sent = app.send('/graphql?query={__typename}');
    await new Promise(setImmediate);
    let isClosed = false;
    const closing = app.services.close().then(() => {
      isClosed = true;
    });
    await new Promise(setImmediate);
    expect(isClosed).toBe(false);
    release({ id: 'ann' });
    expect((await sent).status).toBe(200);
    await closing;
  });

  test('the events that the publisher of the process has queued are sent first, and viewers resume with them', async () => {
    await using app = start();
    const run = await app.services.publisher().begin({ kind: 'agent', id: 'a1' });
    expect(app.services.publisher()).toBe(app.services.publisher());
    const body = collect(await app.send(STREAM));
    await until(() => body.text.includes('agent_start'));
    await run.text('the last words');
    await app.services.close({ drainMs: 0 });
    await until(() => body.broken);
    await using other = start({ log: app.log, store: app.store });
    const [, cursor] = /id: (\S+)/.exec(body.text)!;
    const resumed = collect(await other.send(STREAM, { headers: { 'last-event-id': cursor! } }));
    await until(() => (body.text + resumed.text).includes('the last words'));
    expect((await app.services.publisher().begin({ kind: 'agent', id: 'a2' })).state).toBe('closed');
  });
});

test.each([
  [{ basePath: 'streams' }, /^basePath: /],
  [{ corsOrigins: ['example.com'] }, /^corsOrigins: /],
  [{ serverLimits: { streams: { perCaler: 1 } } }, /^limits\.streams\.perCaler: /],
])('a wrong option is a CONFIG error that names it: %j', (options, message) => {
  expect(() => createApp(options as never)).toThrow(message);
});
