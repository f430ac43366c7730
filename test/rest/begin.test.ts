// A rejected begin over HTTP leaves no row, at each step that can fail and if a response is lost.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import type { EventLog } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { type ListeningApp, startApp } from '../support/app.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';

let log: EventLog;
let store: MemoryStore;
let app: ListeningApp;
beforeEach(async () => {
  log = createMemoryLog();
  store = createMemoryStore();
  app = await startApp({ log, store });
});
afterEach(() => app.close());

async function send(method: string, path: string, body: object, headers = {}) {
  const response = await fetch(`${app.url}/api/v0/executions/${path}`, {
    method,
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', ...headers },
  });
  // biome-ignore lint/suspicious/noExplicitAny: tests read arbitrary JSON.
  return { status: response.status, headers: response.headers, body: (await response.json()) as any };
}

const begin = (body: object = {}) => send('PUT', 'agents/a1', { mode: 'TEXT', ...body });
const post = (token: string, events: object[]) =>
  send(
    'POST',
    'agents/a1/events',
    { events },
    { 'Publisher-Token': token, 'Idempotency-Key': `${Math.random()}` },
  );

type Method = 'head' | 'open' | 'append' | 'recordHeartbeat';
const unavailable = () => new ExecstreamError('SOURCE_UNAVAILABLE', 'log is unavailable');

/** Makes a method of the log fail, before or after it took effect, until the returned function is called. */
function fail(method: Method, when: 'before' | 'after' = 'before'): () => void {
  const real = log[method] as (...args: unknown[]) => Promise<unknown>;
  Object.assign(log, {
    [method]: async (...args: unknown[]) => {
      if (when === 'after') await real(...args);
      throw unavailable();
    },
  });
  return () => void Object.assign(log, { [method]: real });
}

describe('a first begin', () => {
  test.each([
    ['the log is unavailable', ['head', 'open', 'append', 'recordHeartbeat']],
    ['the log is available but rejects the open', ['open']],
    ['the log is opened but rejects the first event', ['append']],
  ] as [string, Method[]][])('a first begin leaves no row if %s, and then succeeds', async (_, methods) => {
    const restores = methods.map((method) => fail(method));
    const rejected = await begin();
    expect(rejected).toMatchObject({ status: 503, body: { code: 'SOURCE_UNAVAILABLE' } });
    expect(rejected.headers.get('retry-after')).toBe('5');
    expect(await store.get('a1')).toBeUndefined();
    for (const restore of restores) restore();
    const { status, body } = await begin();
    expect([status, body.attempt, body.head]).toEqual([201, 1, 1]);
    expect((await post(body.token, [{ type: 'complete', data: {} }])).status).toBe(200);
  });

  test('a first begin leaves no row if the log was opened and only its response was lost', async () => {
    const restore = fail('open', 'after');
    expect((await begin()).status).toBe(503);
    expect(await store.get('a1')).toBeUndefined();
    restore();
    expect(await begin()).toMatchObject({ status: 201, body: { attempt: 1, head: 1 } });
  });

  test('a first begin whose append succeeded without a response leaves a row that the sweep ends', async () => {
    const restore = fail('append', 'after');
    expect((await begin()).status).toBe(503);
    expect(await store.expectingHeartbeats(undefined, 10)).toEqual([{ id: 'a1', kind: 'agent' }]);
    restore();
    expect(await begin()).toMatchObject({ status: 201, body: { attempt: 2 } });
  });

  test('a first begin whose row was written without a response leaves a row that the sweep ends', async () => {
    const { begin: beginRow } = store;
    store.begin = async (request) => {
      await beginRow(request);
      throw unavailable();
    };
    expect((await begin()).status).toBe(503);
    expect(await store.expectingHeartbeats(undefined, 10)).toHaveLength(1);
    Object.assign(store, { begin: beginRow });
    expect(await begin()).toMatchObject({ status: 201, body: { attempt: 2 } });
  });

  test('a first begin that cannot remove its row leaves a row that the sweep ends', async () => {
    const { undoBegin } = store;
    store.undoBegin = () => Promise.reject(unavailable());
    const restore = fail('open');
    expect((await begin()).status).toBe(503);
    expect(await store.expectingHeartbeats(undefined, 10)).toHaveLength(1);
    Object.assign(store, { undoBegin });
    restore();
    expect((await begin()).status).toBe(201);
  });

  test('a first begin leaves the row to another publisher that opened the log for the same attempt', async () => {
    const { open } = log;
    log.open = async (id, request) => {
      log.open = open;
      expect((await begin({ attempt: 1 })).status).toBe(201);
      return open(id, request);
    };
    expect(await begin({ attempt: 1 })).toMatchObject({ status: 409, body: { code: 'SUPERSEDED' } });
    expect(await store.get('a1')).toMatchObject({ status: 'RUNNING', attempt: 1 });
  });

  test.each([
    ['created', 'keeps'],
    ['kept', 'creates'],
  ])(
    'a begin that has %s the row leaves it to one that %s it, even if the log is lost then',
    async (which) => {
      const { open } = log;
      const { begin: beginRow } = store;
      const token = { 'Publisher-Token': 'a-token-of-the-publisher' };
      const succeed = async () => {
        expect((await send('PUT', 'agents/a1', { mode: 'TEXT', attempt: 1 }, token)).status).toBe(201);
      };
      if (which === 'kept') {
        store.begin = async (request) => {
          store.begin = beginRow;
          await succeed();
          return beginRow(request);
        };
      }
      log.open = async (id, request) => {
        if (which === 'kept' && request.publisher === token['Publisher-Token']) return open(id, request);
        log.open = open;
        if (which === 'created') await succeed();
        Object.assign(log, createMemoryLog());
        throw unavailable();
      };
      expect(await begin({ attempt: 1 })).toMatchObject({ status: 503 });
      expect(await store.get('a1')).toMatchObject({ status: 'RUNNING', attempt: 1 });
    },
  );

  test('a first begin succeeds if its heartbeat is not stored, because the sweep records one', async () => {
    fail('recordHeartbeat');
    expect((await begin()).status).toBe(201);
    expect(await log.silenceMs('a1')).toBeUndefined();
    expect(await store.expectingHeartbeats(undefined, 10)).toHaveLength(1);
  });

  test('a begin under an id whose row was removed gets a new log, and the former publisher is rejected', async () => {
    const first = (await begin()).body;
    const row = (await store.get('a1'))!;
    expect(await store.undoBegin(row, undefined)).toBe(true);
    const second = await begin({ attempt: 1 });
    expect(second).toMatchObject({ status: 201, body: { attempt: 1, head: 2 } });
    expect(second.body.epoch).not.toBe(first.epoch);
    const { events } = (await log.read('a1', 0, 10))!;
    expect(events.map(({ type }) => type)).toEqual(['reset', 'agent_start']);
    expect((await post(first.token, [])).status).toBe(409);
    expect((await post(second.body.token, [{ type: 'complete', data: {} }])).status).toBe(200);
  });
});

describe('a begin of another attempt', () => {
  const firstRequest = { name: 'first', input: { a: 1 } };

  test.each([['head'], ['open']] as [Method][])(
    'a begin restores the previous attempt if `%s` of the log fails, and its publisher continues',
    async (method) => {
      const first = (await begin(firstRequest)).body;
      await post(first.token, [{ type: 'agent_status', data: { status: 'WAITING' } }]);
      const before = (await store.get('a1'))!;
      const restore = fail(method);
      expect((await begin({ name: 'second', input: 2 })).status).toBe(503);
      restore();
      const { revision, ...row } = (await store.get('a1'))!;
      expect({ ...row, revision: before.revision }).toEqual(before);
      expect(revision).toBeGreaterThanOrEqual(before.revision);
      const end = [
        { type: 'llm_chunk', data: { content: 'x' } },
        { type: 'complete', data: {} },
      ];
      expect((await post(first.token, end)).status).toBe(200);
      expect(await store.get('a1')).toMatchObject({ status: 'SUCCESS', result: 'x', attempt: 1 });
    },
  );

  test('a begin stays on the row once it owns the log, and the next attempt succeeds', async () => {
    await begin(firstRequest);
    const restore = fail('open', 'after');
    expect((await begin()).status).toBe(503);
    restore();
    expect(await store.get('a1')).toMatchObject({ status: 'RUNNING', attempt: 2, expectsHeartbeats: true });
    expect(await begin()).toMatchObject({ status: 201, body: { attempt: 3 } });
  });

  test('a failed begin leaves the row to an attempt that began in the meantime', async () => {
    await begin(firstRequest);
    const { open } = log;
    log.open = async () => {
      log.open = open;
      expect(await begin()).toMatchObject({ status: 201, body: { attempt: 3 } });
      throw unavailable();
    };
    expect((await begin()).status).toBe(503);
    expect(await store.get('a1')).toMatchObject({ status: 'RUNNING', attempt: 3 });
  });
});

test('a rejected PUT does not make a row by plain SQL expect heartbeats', async () => {
  await store.begin({ id: 'a1', kind: 'agent', mode: 'TEXT' });
  fail('open');
  expect((await begin({ attempt: 1 })).status).toBe(503);
  expect((await begin()).status).toBe(503);
  expect(await store.get('a1')).not.toHaveProperty('expectsHeartbeats');
});

test('a begin that cannot be undone is rejected with its own error, and both failures are logged', async () => {
  fail('open');
  store.undoBegin = async () => {
    throw new Error('undo failure 7');
  };
  expect((await begin()).status).toBe(503);
  expect(app.errors.map(({ details }) => String((details as { err: Error }).err))).toEqual([
    'Error: undo failure 7',
    'ExecstreamError: log is unavailable',
  ]);
});
