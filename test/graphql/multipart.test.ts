// Subscriptions as multipart/mixed: each part with the cursor of its event.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type App, chunks, collect, createApp, directLog, graphqlPath, settled } from '../support/app.ts';

const ACCEPT = 'multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json';
const SUBSCRIPTION = 'subscription { agentStream(id: "a1") { seq } }';

let app: App;

afterEach(() => {
  vi.useRealTimers();
});

const get = (query = SUBSCRIPTION, headers: Record<string, string> = {}) =>
  app.request(graphqlPath(query), { headers: { accept: ACCEPT, ...headers } });

/** The JSON of each complete part: one that is followed by a delimiter. */
function partsOf(text: string): object[] {
  const pieces = `\r\n${text}`.split('\r\n--graphql').slice(1, -1);
  return pieces.map((piece) => {
    const [head, body] = piece.split('\r\n\r\n');
    expect(head).toBe('\r\nContent-Type: application/json; charset=utf-8');
    return JSON.parse(body!);
  });
}

describe('a multipart subscription', () => {
  test('sends each event as a part with its cursor, and ends with the closing delimiter', async () => {
    app = createApp();
    const log = await directLog(app);
    await log.append(...chunks(2));
    const response = await get();
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'multipart/mixed; boundary="graphql"; subscriptionSpec=1.0',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    const body = collect(response);
    await settled();
    const payload = (seq: number) => ({
      payload: {
        data: { agentStream: { seq } },
        extensions: { cursor: `${seq}-${log.epoch}` },
      },
    });
    // Complete before the next event: a reader needs the delimiter after a part.
    expect(partsOf(body.text)).toEqual([{}, payload(1), payload(2)]);
    expect(body.text.startsWith('--graphql\r\n')).toBe(true);
    await log.complete();
    await settled();
    expect(partsOf(body.text)).toEqual([{}, payload(1), payload(2), payload(3)]);
    expect([body.done, body.text.endsWith('\r\n--graphql--\r\n')]).toEqual([true, true]);
  });

  test('sends empty parts as heartbeats, and nothing for events that its filter skips', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    app = createApp();
    const log = await directLog(app);
    const body = collect(await get('subscription { agentStream(id: "a1", events: [TOOL_CALL]) { seq } }'));
    await log.append(...chunks(3));
    await settled();
    await vi.advanceTimersByTimeAsync(15_000);
    await settled();
    expect(partsOf(body.text)).toEqual([{}, {}]);
    await body.cancel();
  });

  test('is left unfinished by a rotation, without the closing delimiter', async () => {
    app = createApp();
    const log = await directLog(app);
    await log.append(...chunks(1));
    const body = collect(await get());
    await settled();
    app.services.streams.rotateAll();
    await settled();
    expect([body.done, body.broken, body.text.endsWith('--\r\n')]).toEqual([false, true, false]);
  });

  test('resumes after a cursor, and shares executions with viewers of the same format', async () => {
    app = createApp();
    const log = await directLog(app);
    await log.append(...chunks(3));
    const resume = { 'last-event-id': `2-${log.epoch}` };
    const bodies = [collect(await get(SUBSCRIPTION, resume)), collect(await get(SUBSCRIPTION, resume))];
    await settled();
    for (const { text } of bodies) {
      expect(partsOf(text)).toMatchObject([{}, { payload: { extensions: { cursor: `3-${log.epoch}` } } }]);
    }
    expect(app.services.graphql.counter.executions).toBe(1);
    for (const body of bodies) await body.cancel();
  });

  test('that is rejected is a part with the errors, and ends', async () => {
    app = createApp();
    const response = await get();
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'multipart/mixed; boundary="graphql"; subscriptionSpec=1.0',
    ]);
    const text = await response.text();
    expect(partsOf(text)).toMatchObject([
      {},
      { payload: { errors: [{ extensions: { code: 'NOT_FOUND' } }] } },
    ]);
    expect(text.endsWith('\r\n--graphql--\r\n')).toBe(true);
  });

  test('of a request that prefers JSON for errors is rejected with JSON', async () => {
    app = createApp();
    const response = await get(SUBSCRIPTION, { accept: 'multipart/mixed;q=0.5, application/json' });
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect((await response.json()).errors[0].extensions.code).toBe('NOT_FOUND');
  });
});

test('a query of a client that prefers JSON returns JSON, although it accepts streams', async () => {
  app = createApp();
  const accept = 'application/graphql-response+json, application/json, text/event-stream, multipart/mixed';
  const response = await get('{ __typename }', { accept });
  expect(response.headers.get('content-type')).toBe('application/graphql-response+json; charset=utf-8');
  expect(await response.json()).toEqual({ data: { __typename: 'Query' } });
});

test.each(['image/png', 'application/json;q=0, image/png, text/html;q=0'])(
  'a request that accepts only %s is 406 with a code, and is not executed',
  async (accept) => {
    app = createApp();
    const list = vi.spyOn(app.store, 'list');
    const response = await get('{ executions { pageInfo { hasNextPage } } }', { accept });
    expect(response.status).toBe(406);
    expect((await response.json()).errors).toEqual([
      {
        message: expect.stringMatching(/^Accept: expected application\/json, .*text\/event-stream/),
        extensions: { code: 'NOT_ACCEPTABLE' },
      },
    ]);
    expect(list).not.toHaveBeenCalled();
  },
);
