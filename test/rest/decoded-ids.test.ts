// Execution ids with slashes, percent-encoded or decoded by a proxy (PROTOCOL.md, "Execution ids").
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { directLog, EVENT_STREAM, type ListeningApp, startApp } from '../support/app.ts';

let app: ListeningApp;
beforeEach(async () => {
  app = await startApp();
});
afterEach(() => app.close());

const BASE = '/api/v0/executions/agents';

async function ended(id: string): Promise<void> {
  const log = await directLog(app, { id });
  await log.complete(`the result of ${id}`);
}

/** The execution whose state or stream a path returns; otherwise the status. */
async function idAt(path: string): Promise<string | number> {
  const response = await fetch(`${app.url}${BASE}/${path}`, { headers: { accept: '*/*' } });
  const text = await response.text();
  const [, id] = /the result of ([^"]+)/.exec(text) ?? [];
  if (id === undefined) return response.status;
  return response.headers.get('content-type')!.startsWith('text/event-stream') ? `stream of ${id}` : id;
}

describe('PROTOCOL.md, Execution ids: slashes that a proxy has decoded', () => {
  test.each([
    ['orders/42', 'orders/42'],
    ['orders/42', 'orders%2F42'],
    ['orders/42', 'orders%2f42'],
    ['a/b/c/d', 'a/b/c/d'],
    ['a/b/c', 'a%2Fb/c'],
    ['a@b/c:d~e', 'a%40b/c%3Ad~e'],
    ['stream/x', 'stream/x'],
    ['events/x', 'events/x'],
  ])('the state and the stream of %s are at %s', async (id, path) => {
    await ended(id);
    expect(await idAt(path)).toBe(id);
    expect(await idAt(`${path}/stream`)).toBe(`stream of ${id}`);
  });

  test('an id that ends in /stream or /events is exact if it is encoded; decoded, the longest route applies', async () => {
    for (const id of ['a', 'a/b', 'a/stream', 'a/events', 'a/b/stream']) await ended(id);
    expect(await idAt('a/stream')).toBe('stream of a');
    expect(await idAt('a%2Fstream')).toBe('a/stream');
    expect(await idAt('a%2Fevents')).toBe('a/events');
    expect(await idAt('a%2Fstream/stream')).toBe('stream of a/stream');
    expect(await idAt('a/stream/stream')).toBe('stream of a/stream');
    expect(await idAt('a/events/stream')).toBe('stream of a/events');
    expect(await idAt('a/b/stream')).toBe('stream of a/b');
    expect(await idAt('a/b%2Fstream')).toBe('a/b/stream');
    // The events of `a` and of `a/b` can only be posted.
    expect(await idAt('a/events')).toBe(405);
    expect(await idAt('a/b/events')).toBe(405);
  });

  test('ids with empty segments or dot segments are accepted in their encoded form only', async () => {
    for (const id of ['a', 'b', 'a//b', '/a', 'a/', 'a/../b', 'a/./b']) await ended(id);
    for (const id of ['a//b', '/a', 'a/', 'a/../b', 'a/./b']) {
      const encoded = encodeURIComponent(id);
      expect(await idAt(encoded)).toBe(id);
      expect(await idAt(`${encoded}/stream`)).toBe(`stream of ${id}`);
    }
    for (const path of ['a//b', '/a', 'a/', 'a/b/', '/stream', 'a//stream', 'a/b//stream', '']) {
      expect(await idAt(path), path).toBe(404);
    }
    // URL parsers resolve dot segments.
    expect(await idAt('a/../b')).toBe('b');
  });

  test('an id that is not valid is 400, and invalid percent-encoding too', async () => {
    for (const path of ['a/b%00c', 'a/b%zz', `a/${'x'.repeat(999)}`, 'a/%FF..', 'a/b%00c/stream']) {
      expect(await idAt(path), path).toBe(400);
    }
  });

  test('an execution begins, and its events are appended, at the decoded path', async () => {
    const path = `${app.url}${BASE}/orders/42`;
    const created = await fetch(path, { method: 'PUT', body: JSON.stringify({ mode: 'TEXT' }) });
    expect(created.status).toBe(201);
    const { token } = (await created.json()) as { token: string };
    const appended = await fetch(`${path}/events`, {
      method: 'POST',
      headers: { 'Publisher-Token': token, 'Idempotency-Key': '1' },
      body: JSON.stringify({ events: [{ type: 'complete', data: { result: 'the result of orders/42' } }] }),
    });
    expect(appended.status).toBe(200);
    expect(await idAt('orders%2F42')).toBe('orders/42');
  });

  test.each([
    ['orders/42', 'PATCH', 'GET, PUT, HEAD'],
    ['orders/42', 'POST', 'GET, PUT, HEAD'],
    ['orders/42/stream', 'PUT', 'GET, HEAD'],
    ['orders/42/events', 'GET', 'POST'],
    ['orders/42/events', 'PUT', 'POST'],
  ])('%s does not support %s, and lists %s', async (path, method, allowed) => {
    const response = await fetch(`${app.url}${BASE}/${path}`, { method, headers: EVENT_STREAM });
    expect([response.status, response.headers.get('allow')]).toEqual([405, allowed]);
    const options = await fetch(`${app.url}${BASE}/${path}`, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([204, `${allowed}, OPTIONS`]);
  });

  test('HEAD of a decoded path responds like GET', async () => {
    await ended('orders/42');
    const response = await fetch(`${app.url}${BASE}/orders/42/stream`, { method: 'HEAD' });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ]);
  });

  test('only ids may have several segments', async () => {
    for (const path of ['/docs/a/b', '/api/v0/executions/robots/a/b', '/health/live/x']) {
      expect((await fetch(app.url + path)).status, path).toBe(404);
    }
  });
});
