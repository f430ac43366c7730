// The client and the real server: rotation, permissions, limits, filters, unusual ids, redirects and silent networks.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import {
  createClient,
  type ExecutionEvent,
  type ExecutionState,
  initialState,
  reduce,
} from '../../src/client/index.ts';
import { DEFAULT_SERVER_LIMITS } from '../../src/server/limits.ts';
import { startGuarded, tokenOf } from '../auth/guarded.ts';
import { chunk, chunks, directLog, type ListeningApp, startApp, toolCall } from '../support/app.ts';
import { startProxy } from '../support/silent-proxy.ts';
import { until } from '../support/wait.ts';

const FAST = { backoff: { firstMs: 10, maxMs: 100 } };

/** The state that the events of a log add up to. */
async function stateOf(app: ListeningApp, id: string): Promise<ExecutionState> {
  const { epoch, events } = (await app.log.read(id, 0, 10_000))!;
  return events
    .map((event) => ({ ...event, id: `${event.seq}-${epoch}`, executionId: id }) as ExecutionEvent)
    .reduce(reduce, initialState('agent'));
}

/** Counts the requests of a client. */
function countRequests() {
  const send = vi.fn(globalThis.fetch);
  return { fetch: send as typeof fetch, send };
}

describe('a followed execution', () => {
  test('has the state of its log after many rotations', async () => {
    await using app = await startApp({ settings: { lifetimeMs: 150, retryMs: 10, heartbeatMs: 1_000 } });
    const { fetch, send } = countRequests();
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent', mode: 'TEXT' });
    const followed = createClient({ url: app.url, fetch, ...FAST }).follow('agent', 'a1');
    const statuses = new Set<string>();
    followed.subscribe(() => statuses.add(followed.connection.status));
    for (let i = 0; send.mock.calls.length < 6; i += 1) {
      await run.text(`${i} ü\r\n`);
      if (i % 10 === 0) await run.toolCall({ toolCallId: `t${i}`, toolName: 'search', status: 'started' });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await run.complete();
    const final = await followed.ended;
    expect(final).toEqual(await stateOf(app, 'a1'));
    expect(final.text).toBe(final.end && 'result' in final.end ? final.end.result : undefined);
    expect([...statuses].sort()).toEqual(['connecting', 'ended', 'live', 'waiting']);
  });

  test('has the value and the attempt of an execution that is retried', async () => {
    await using app = await startApp();
    const first = await app.publisher.begin({ id: 'a1', kind: 'agent', mode: 'STRUCTURED' });
    const followed = createClient({ url: app.url, ...FAST }).follow('agent', 'a1', { mode: 'STRUCTURED' });
    await first.value({ rows: [1, 2] });
    await until(() => followed.state.value !== null);
    const second = await app.publisher.begin({ id: 'a1', kind: 'agent', mode: 'STRUCTURED', attempt: 2 });
    await second.value({ rows: [3] });
    await second.complete();
    expect(await followed.ended).toMatchObject({ attempt: 2, value: { rows: [3] }, status: 'SUCCESS' });
  });

  test('of a storage is shown immediately, and ends without a new event', async () => {
    await using app = await startApp();
    const log = await directLog(app);
    await log.append(...chunks(3));
    await log.complete();
    const entries = new Map<string, string>();
    const storage = {
      getItem: (key: string) => entries.get(key) ?? null,
      setItem: (key: string, value: string) => void entries.set(key, value),
    };
    const client = createClient({ url: app.url, storage, ...FAST });
    const before = await client.follow('agent', 'a1').ended;
    const again = client.follow('agent', 'a1');
    expect(again.state).toEqual(before);
    const notified = vi.fn();
    again.subscribe(notified);
    // 204: nothing follows.
    expect(await again.ended).toEqual(before);
    expect(again.connection.status).toBe('ended');
    expect(notified).toHaveBeenCalledTimes(1);
  });
});

describe('watched events', () => {
  test('are typed, complete and those of the log, from any cursor', async () => {
    await using app = await startApp();
    const log = await directLog(app);
    await log.append(chunk('a\r\nb'), toolCall(), chunk('ü'));
    await log.complete('done');
    const client = createClient({ url: app.url });
    const events: ExecutionEvent[] = [];
    for await (const event of client.watch('agent', 'a1')) events.push(event);
    expect(events.map(({ seq, type }) => [seq, type])).toEqual([
      [1, 'llm_chunk'],
      [2, 'tool_call'],
      [3, 'llm_chunk'],
      [4, 'complete'],
    ]);
    const rest: ExecutionEvent[] = [];
    for await (const event of client.watch('agent', 'a1', { after: events[1]!.id })) rest.push(event);
    expect(rest).toEqual(events.slice(2));
    for await (const _ of client.watch('agent', 'a1', { after: events[3]!.id })) throw new Error('an event');
  });

  test('of some types end with the execution, and their cursor moves on', async () => {
    await using app = await startApp({ settings: { lifetimeMs: 400, retryMs: 10, heartbeatMs: 50 } });
    const { fetch, send } = countRequests();
    const log = await directLog(app);
    const client = createClient({ url: app.url, fetch, ...FAST });
    const types: string[] = [];
    const read = async () => {
      for await (const event of client.watch('agent', 'a1', { events: ['tool_call'] }))
        types.push(event.type);
    };
    const done = read();
    await log.append(toolCall(), ...chunks(5));
    // A heartbeat has moved the cursor past the chunks before the connection is rotated.
    await until(() => send.mock.calls.length === 2);
    const headers = send.mock.calls[1]![1]!.headers as Record<string, string>;
    expect(headers['last-event-id']).toBe(`6-${log.epoch}`);
    await log.complete();
    await done;
    expect(types).toEqual(['tool_call']);
  });

  test.each([
    'orders/42',
    'a b',
    '.',
    '..',
    'a//b',
    'ends/stream',
    '☃',
    '100%',
    'a?b#c&d=e',
    'x'.repeat(1_000),
  ])('of the id %j are those of this execution', async (id) => {
    await using app = await startApp();
    const log = await directLog(app, { id });
    await log.complete(id);
    expect((await createClient({ url: app.url }).follow('agent', id).ended).end).toMatchObject({
      result: id,
    });
  });

  test('arrive through redirects of every kind, with the cursor', async () => {
    await using app = await startApp({ settings: { lifetimeMs: 150, retryMs: 10 } });
    const log = await directLog(app);
    let requests = 0;
    const redirects = createServer((request, response) => {
      const status = [301, 302, 303, 307, 308][requests % 5]!;
      requests += 1;
      response.writeHead(status, { location: app.url + request.url }).end();
    }).listen(0, '127.0.0.1');
    await once(redirects, 'listening');
    const url = `http://127.0.0.1:${(redirects.address() as AddressInfo).port}`;
    const followed = createClient({ url, ...FAST }).follow('agent', 'a1');
    for (let i = 1; requests < 6; i += 1) {
      await log.append(chunk(`${i} `));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await log.complete();
    const final = await followed.ended;
    expect(final).toEqual(await stateOf(app, 'a1'));
    redirects.close();
  });

  test('continue after a connection that has become silent', async () => {
    await using app = await startApp({ settings: { heartbeatMs: 100 } });
    await using proxy = await startProxy(app);
    const log = await directLog(app);
    const followed = createClient({ url: proxy.url, heartbeatMs: 100, ...FAST }).follow('agent', 'a1');
    await log.append(chunk('one'));
    await until(() => followed.state.text === 'one');
    proxy.silence();
    await log.append(chunk(' two'));
    await log.complete();
    expect((await followed.ended).text).toBe('one two');
    expect(proxy.connections).toBe(2);
  });
});

describe('a rejection', () => {
  test('has the code of the server', async () => {
    await using app = await startApp();
    await directLog(app);
    const client = createClient({ url: app.url, ...FAST });
    const codeOf = (promise: Promise<unknown>) =>
      promise.then(
        () => 'none',
        ({ code }) => code,
      );
    expect(await codeOf(client.follow('agent', 'absent').ended)).toBe('NOT_FOUND');
    expect(await codeOf(client.follow('task', 'a1').ended)).toBe('NOT_FOUND');
    expect(await codeOf(client.follow('agent', 'x'.repeat(1_001)).ended)).toBe('BAD_USER_INPUT');
    expect(await codeOf(client.watch('agent', 'a1', { after: 'x' }).next())).toBe('BAD_CURSOR');
    const elsewhere = createClient({ url: `${app.url}/api`, ...FAST });
    expect(await codeOf(elsewhere.follow('agent', 'a1').ended)).toBe('NOT_FOUND');
  });

  test('because of too many streams is temporary', async () => {
    const streams = { ...DEFAULT_SERVER_LIMITS.streams, perNode: 1 };
    await using app = await startApp({ serverLimits: { ...DEFAULT_SERVER_LIMITS, streams } });
    const log = await directLog(app);
    const client = createClient({ url: app.url, ...FAST });
    const first = client.follow('agent', 'a1');
    await until(() => first.connection.status === 'live');
    const second = client.follow('agent', 'a1');
    await until(() => second.connection.status === 'waiting');
    expect(second.connection).toMatchObject({ reason: expect.stringContaining('limit') });
    second.close();
    await log.complete();
    await first.ended;
  });

  test('of an expired token leads to a new one', async () => {
    await using app = await startGuarded();
    const log = await directLog(app);
    await log.append(chunk('text'));
    await log.complete();
    const token = vi.fn(() => tokenOf());
    token.mockImplementationOnce(() => tokenOf({ exp: 1 }));
    const client = createClient({ url: app.url, token, ...FAST });
    expect((await client.follow('agent', 'a1').ended).text).toBe('text');
    expect(token).toHaveBeenCalledTimes(2);
    const expired = createClient({ url: app.url, token: await tokenOf({ exp: 1 }), ...FAST });
    await expect(expired.follow('agent', 'a1').ended).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    const anonymous = createClient({ url: app.url, ...FAST });
    await expect(anonymous.follow('agent', 'a1').ended).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

test('a list shows the executions of the server as they begin and end', async () => {
  await using app = await startApp();
  const workflow = await app.publisher.begin({ id: 'w1', kind: 'workflow' });
  const run = await app.publisher.begin({ id: 'a1', kind: 'agent', name: 'writer', parentId: 'w1' });
  const client = createClient({ url: app.url, ...FAST });
  const list = client.list({ kind: 'agent', status: 'RUNNING' }, { pollMs: 20 });
  await until(() => list.state.length === 1);
  expect(list.state[0]).toEqual({
    id: 'a1',
    kind: 'agent',
    status: 'RUNNING',
    name: 'writer',
    attempt: 1,
    parentId: 'w1',
    startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    finishedAt: null,
  });
  await app.publisher.begin({ id: 'a2', kind: 'agent' });
  await until(() => list.state.map(({ id }) => id).join() === 'a2,a1');
  await run.complete();
  await until(() => list.state.map(({ id }) => id).join() === 'a2');
  list.close();
  const bad = client.list({ first: 101 });
  await until(() => bad.connection.status === 'failed');
  expect(bad.connection).toMatchObject({ error: { code: 'BAD_USER_INPUT' } });
  await workflow.complete();
});
