// The other paths: the state of an execution, health, methods, CORS, and unknown paths (PROTOCOL.md, "REST aliases",
// "Other paths", "Reconnecting").
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Execution } from '../../src/execution/store.ts';
import {
  type App,
  chunk,
  createApp,
  directLog,
  EVENT_STREAM,
  type ListeningApp,
  startApp,
} from '../support/app.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';

let app: App;
let store: MemoryStore;
let hidden: (row: Execution) => boolean;
beforeEach(() => {
  store = createMemoryStore();
  hidden = () => false;
  app = createApp({ store, authorize: (_, row) => ({ read: hidden(row) ? 'hidden' : 'granted' }) });
});
afterEach(() => app.close());

const STATE = '/api/v0/executions/agents/a1';

describe('PROTOCOL.md, REST aliases: the state as JSON', () => {
  test('an open execution has its parent and children as ids, and lastCursor at the head', async () => {
    await store.begin({ id: 'w', kind: 'workflow', mode: 'STRUCTURED', workflowId: 'wf', runId: 'r' });
    const log = await directLog(app, { parentId: 'w', name: 'Ada', input: { q: 1 } });
    await store.begin({ id: 'child', kind: 'task', mode: 'TEXT', parentId: 'a1' });
    await log.append(chunk('a'), chunk('b'));
    const response = await app.request(STATE);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual({
      id: 'a1',
      kind: 'AGENT',
      status: 'RUNNING',
      mode: 'TEXT',
      attempt: 1,
      name: 'Ada',
      parent: 'w',
      children: ['child'],
      childrenCursor: null,
      // Another policy than the default decides about each child.
      childrenCount: null,
      workflowId: null,
      runId: null,
      runs: null,
      runsCursor: null,
      input: { q: 1 },
      result: null,
      resultOmitted: false,
      error: null,
      usage: null,
      startedAt: expect.stringMatching(/Z$/),
      finishedAt: null,
      durationMs: null,
      lastCursor: `2-${log.epoch}`,
    });
    const parent = await app.request('/api/v0/executions/workflows/w');
    expect(await parent.json()).toMatchObject({
      parent: null,
      children: ['a1'],
      workflowId: 'wf',
      runId: 'r',
      lastCursor: null,
    });
  });

  test('an ended execution has its result, and lastCursor at the terminal event', async () => {
    const log = await directLog(app);
    await log.append(chunk('a'));
    await log.complete('the result');
    expect(await (await app.request(STATE)).json()).toMatchObject({
      status: 'SUCCESS',
      result: 'the result',
      lastCursor: `2-${log.epoch}`,
      finishedAt: expect.stringMatching(/Z$/),
      durationMs: expect.any(Number),
    });
  });

  test('a result that no event contains is in the state', async () => {
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    await run.text('x'.repeat(200_000));
    await run.complete();
    const stream = await (await app.request(`${STATE}/stream?events=complete`)).text();
    expect(stream).toContain('"resultOmitted":true');
    expect(((await (await app.request(STATE)).json()) as Execution).result).toBe('x'.repeat(200_000));
  });

  test('an unknown or hidden execution and one of another kind are 404, and hidden relatives are left out', async () => {
    await directLog(app, { parentId: 'w' });
    await store.begin({ id: 'w', kind: 'workflow', mode: 'STRUCTURED' });
    expect((await app.request('/api/v0/executions/agents/nope')).status).toBe(404);
    expect((await app.request('/api/v0/executions/tasks/a1')).status).toBe(404);
    hidden = (row) => row.id === 'a1';
    const response = await app.request(STATE);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'NOT_FOUND', detail: 'no such execution: a1' });
    const parent = await app.request('/api/v0/executions/workflows/w');
    expect(await parent.json()).toMatchObject({ children: [] });
    hidden = (row) => row.id === 'w';
    expect(await (await app.request(STATE)).json()).toMatchObject({ parent: null });
  });

  test('the state is 503 with Retry-After if the store is unavailable', async () => {
    store.isAway = true;
    const response = await app.request(STATE);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(response.headers.get('content-type')).toBe('application/problem+json');
  });
});

describe('PROTOCOL.md, Other paths: health', () => {
  test('liveness is 200 even if parts are unavailable', async () => {
    store.isAway = true;
    const response = await app.request('/health/live');
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  });

  test('readiness is 200, or 503 with the parts that are unavailable', async () => {
    const ready = await app.request('/health/ready');
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { status: 'ok', parts: { log: 'ok', database: 'ok' } },
    ]);
    store.isAway = true;
    const unavailable = await app.request('/health/ready');
    expect([unavailable.status, await unavailable.json()]).toEqual([
      503,
      { status: 'unavailable', parts: { log: 'ok', database: 'memory store is unavailable' } },
    ]);
  });
});

describe('PROTOCOL.md, REST aliases: methods and unknown paths', () => {
  test.each(['POST', 'PATCH', 'DELETE'])(
    'the method %s is 405, and the allowed ones are listed',
    async (method) => {
      for (const path of [STATE, `${STATE}/stream`, '/health/live', '/']) {
        const response = await app.request(path, { method });
        expect(response.status).toBe(405);
        expect(response.headers.get('allow')!.split(', ')).toEqual(expect.arrayContaining(['GET', 'HEAD']));
        expect(response.headers.get('content-type')).toBe('application/problem+json');
        expect(await response.json()).toMatchObject({ status: 405, code: 'METHOD_NOT_ALLOWED' });
      }
    },
  );

  test('HEAD responds like GET without a body, and releases the stream', async () => {
    await directLog(app);
    for (const path of [STATE, `${STATE}/stream`, '/health/live', '/']) {
      const [head, get] = [await app.request(path, { method: 'HEAD' }), await app.request(path)];
      expect(head.status).toBe(200);
      expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'));
      expect(await head.text()).toBe('');
      await get.body?.cancel();
    }
    expect((await app.request('/api/v0/executions/agents/nope', { method: 'HEAD' })).status).toBe(404);
    expect(app.services.tails.size).toBe(0);
    expect(app.services.streams.size).toBe(0);
  });

  test.each([
    '/nope',
    '/api/v0/executions/agents',
    '/api/v0/executions/robots/a1/stream',
    '/api/v0/executions/agents/a1/stream/',
    '/api/v0/executions/agents//stream',
    '/api/v0/executions/agents/a/b/stream',
    '/api/v1/executions/agents/a1',
    '/health',
    '/graphqlx',
    '//a1',
  ])('%s is 404 as problem+json', async (path) => {
    await using listening = await startApp();
    const response = await fetch(listening.url + path);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ status: 404, code: 'NOT_FOUND', title: 'Not Found' });
  });
});

/** Sends a request with an Origin and a method that `fetch` forbids. */
function send(url: string, method: string, headers: Record<string, string>) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]> }>((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false }, (response) => {
      response.resume();
      response.destroy();
      resolve({ status: response.statusCode!, headers: response.headers });
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

describe('PROTOCOL.md, Reconnecting: CORS', () => {
  let listening: ListeningApp;
  afterEach(() => listening.close());

  const PATHS = ['/health/live', STATE, `${STATE}/stream`, '/graphql?query={__typename}', '/nope'];
  const corsOf = (headers: object) =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));

  test('there are no CORS headers by default', async () => {
    listening = await startApp();
    await directLog(listening);
    for (const path of PATHS) {
      const { headers } = await send(listening.url + path, 'GET', { origin: 'https://a.example' });
      expect(corsOf(headers)).toEqual({});
      const preflight = await send(listening.url + path, 'OPTIONS', {
        origin: 'https://a.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'last-event-id',
      });
      expect(corsOf(preflight.headers)).toEqual({});
      expect(preflight.status).toBeLessThan(500);
    }
  });

  test.each([[['https://a.example']], [['https://a.example', 'https://b.example']]])(
    'the configured origins %j are allowed, with Last-Event-ID',
    async (corsOrigins) => {
      listening = await startApp({ corsOrigins });
      await directLog(listening);
      for (const path of PATHS) {
        for (const origin of corsOrigins) {
          const { headers } = await send(listening.url + path, 'GET', { origin });
          expect(headers['access-control-allow-origin']).toBe(origin);
          expect(headers.vary).toBe('Origin');
          const preflight = await send(listening.url + path, 'OPTIONS', {
            origin,
            'access-control-request-method': 'GET',
            'access-control-request-headers': 'last-event-id',
          });
          expect(preflight.status).toBe(204);
          expect(preflight.headers['access-control-allow-origin']).toBe(origin);
          expect(preflight.headers['access-control-allow-methods']).toBe('GET, POST, PUT, DELETE, OPTIONS');
          expect(preflight.headers['access-control-allow-headers']).toMatch(/\bLast-Event-ID\b/);
        }
        // `null` is the origin of sandboxed pages and files: it must never be allowed.
        for (const origin of ['https://evil.example', 'null', 'https://a.example.evil']) {
          const { headers } = await send(listening.url + path, 'GET', { origin });
          expect(corsOf(headers)).toEqual({});
          expect(headers.vary).toBe('Origin');
        }
      }
    },
  );

  test('* allows every origin, but no credentials', async () => {
    listening = await startApp({ corsOrigins: ['*'] });
    const { headers } = await send(`${listening.url}/health/live`, 'GET', { origin: 'https://a.example' });
    expect(headers['access-control-allow-origin']).toBe('https://a.example');
    expect(headers['access-control-allow-credentials']).toBeUndefined();
  });
});

describe('malformed HTTP requests', () => {
  test.each([
    ['an invalid Host', 'GET /health/live HTTP/1.1\r\nHost: a b[\r\nConnection: close\r\n\r\n'],
    ['an invalid absolute URL', 'GET http://[/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
    ['an asterisk as the target', 'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
    ['a path with bytes outside ASCII', 'GET /\x80\xff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
  ])('%s gets a status below 500 without internal details', async (_, raw) => {
    await using listening = await startApp();
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(new URL(listening.url).port), '127.0.0.1', () =>
        socket.write(raw, 'latin1'),
      );
      let read = '';
      socket.on('data', (data) => (read += data));
      socket.on('close', () => resolve(read));
      socket.on('error', reject);
    });
    expect(text).toMatch(/^HTTP\/1\.1 [234]\d\d /);
    expect(text).not.toMatch(/node_modules|\.ts:|\.js:/);
    expect((await fetch(`${listening.url}/health/live`)).status).toBe(200);
  });

  test('a body with an oversized document is read and rejected as bad input', async () => {
    await using listening = await startApp();
    const response = await fetch(`${listening.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...EVENT_STREAM },
      body: JSON.stringify({ query: `# ${'x'.repeat(3_000_000)}\nsubscription {` }),
    });
    expect(await response.text()).toContain('BAD_USER_INPUT');
  });
});
