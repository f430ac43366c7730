// The part that the helpers for GraphQL clients share: requests, cursors, duplicates, errors and connections, with a
// scripted server. test/client/watch.test.ts has the rules of connections that all streams share.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  createSubscriptions,
  type SubscriptionOptions,
  type SubscriptionRequest,
} from '../../../src/client/graphql/subscriptions.ts';
import {
  COMPLETE,
  EPOCH,
  each,
  errorMessage,
  HEARTBEAT,
  OPENING,
  problem,
  type Reply,
  type ScriptedRequest,
  scriptedFetch,
  stream,
} from '../scripted-fetch.ts';
import { resultMessage, text, textOf } from './results.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const advance = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const ended = () => stream(OPENING, COMPLETE).ends();
const REQUEST: SubscriptionRequest = {
  query: 'subscription Watch($id: ID!) { agentStream(id: $id) { ... on LlmChunkEvent { content } } }',
  operationName: 'Watch',
  variables: { id: 'a1' },
};

interface Subscribed {
  readonly requests: readonly ScriptedRequest[];
  readonly results: unknown[];
  readonly calls: string[];
  readonly unsubscribe: () => void;
}

function subscribe(
  replies: Reply[],
  options: Partial<SubscriptionOptions> = {},
  request = REQUEST,
  onNext = () => {},
): Subscribed {
  const { fetch, requests } = scriptedFetch(...replies);
  const results: unknown[] = [];
  const calls: string[] = [];
  const sink = {
    next: (result: unknown) => {
      results.push(result);
      onNext();
    },
    error: (error: Error) => void calls.push(`error ${(error as { code?: string }).code ?? error.message}`),
    complete: () => void calls.push('complete'),
  };
  const { subscribe } = createSubscriptions({ url: 'http://server/graphql', fetch, ...options });
  return { requests, results, calls, unsubscribe: subscribe(request, sink) };
}

const lastIds = ({ requests }: Subscribed) => requests.map(({ headers }) => headers.get('last-event-id'));

describe('a request', () => {
  test('is a POST with the document and the variables, and the same one for every attempt', async () => {
    const variables = { id: 'a1', position: null, after: `3-${EPOCH}` };
    const frozen = Object.freeze({ ...REQUEST, variables: Object.freeze(variables) });
    const subscribed = subscribe([stream(text(4)).breaks(), ended()], {}, frozen);
    await advance(501);
    expect(subscribed.calls).toEqual(['complete']);
    for (const { url, method, headers, body } of subscribed.requests) {
      expect([method, url.href]).toEqual(['POST', 'http://server/graphql']);
      expect(headers.get('accept')).toBe('text/event-stream');
      expect(headers.get('content-type')).toBe('application/json');
      expect(JSON.parse(body!)).toEqual({ ...REQUEST, variables });
    }
    expect(lastIds(subscribed)).toEqual([null, `4-${EPOCH}`]);
  });

  test('has the extensions and the headers of the application, but those of the transport once', async () => {
    const { fetch, requests } = scriptedFetch(ended());
    const { subscribe } = createSubscriptions({ url: '/graphql', fetch, token: 't1' });
    const headers = { Authorization: 'Bearer old', 'X-Tenant': 'acme', Accept: 'application/json' };
    const extensions = { persistedQuery: { version: 1, sha256Hash: 'x' } };
    const sink = { next: () => {}, error: () => {}, complete: () => {} };
    subscribe({ ...REQUEST, extensions }, sink, headers);
    await advance(0);
    expect(JSON.parse(requests[0]!.body!).extensions).toEqual(extensions);
    expect(Object.fromEntries(requests[0]!.headers)).toEqual({
      accept: 'text/event-stream',
      authorization: 'Bearer t1',
      'content-type': 'application/json',
      'x-tenant': 'acme',
    });
  });
});

describe('a subscription', () => {
  test.each([
    ['breaks', stream(OPENING, text(1), text(2)).breaks()],
    ['ends without `complete`', stream(OPENING, text(1), text(2)).ends()],
    ['is cut inside a message', stream(OPENING, text(1), text(2), text(3).slice(0, 40)).breaks()],
  ])('whose connection %s continues after its last event', async (_, first) => {
    const subscribed = subscribe([first, stream(OPENING, text(3), COMPLETE).ends()]);
    await advance(1_001);
    expect(subscribed.results).toEqual([textOf(1), textOf(2), textOf(3)]);
    expect(subscribed.calls).toEqual(['complete']);
    expect(lastIds(subscribed)).toEqual([null, `2-${EPOCH}`]);
  });

  test('continues after an id without data, which a filtered stream sends', async () => {
    const subscribed = subscribe([stream(text(1), `id: 7-${EPOCH}\n\n`).breaks(), ended()]);
    await advance(501);
    expect(lastIds(subscribed)).toEqual([null, `7-${EPOCH}`]);
  });

  test('delivers every event once, also if a proxy removes the cursor from the request', async () => {
    const first = stream(text(1), text(2), text(2), text(1)).breaks();
    const subscribed = subscribe([first, stream(text(1), text(2), text(3), COMPLETE).ends()]);
    await advance(501);
    expect(subscribed.results).toEqual([textOf(1), textOf(2), textOf(3)]);
  });

  test('delivers a warning of the server, which repeats the position of the last event', async () => {
    const warning = { data: { agentStream: { message: 'unavailable' } } };
    const message = resultMessage(`1-${EPOCH}`, warning);
    const replayed = stream(text(1), message, text(2), COMPLETE).ends();
    const subscribed = subscribe([stream(text(1), message, message).breaks(), replayed]);
    await advance(501);
    expect(subscribed.results).toEqual([textOf(1), warning, textOf(2)]);
  });

  test('delivers all events after a reset, of another epoch or of the same one', async () => {
    const reset = { data: { agentStream: { reason: 'LOG_LOST' } } };
    const resetMessage = (epoch: string) => resultMessage(`0-${epoch}`, reset);
    const subscribed = subscribe([
      stream(
        text(1),
        resetMessage(EPOCH),
        text(1),
        text(2),
        resetMessage('other00000'),
        text(1, 'other00000'),
        text(1),
        COMPLETE,
      ).ends(),
    ]);
    await advance(0);
    const texts = [textOf(1), reset, textOf(1), textOf(2), reset, textOf(1), textOf(1)];
    expect(subscribed.results).toEqual(texts);
  });

  test('delivers all results without a cursor, identical ones, too', async () => {
    const results = [undefined, 'tick', '7', '7-x'].flatMap((id) => [id, id]);
    const messages = results.map((id) => resultMessage(id, { data: { tick: 1 } }));
    const subscribed = subscribe([stream(...messages, COMPLETE).ends()]);
    await advance(0);
    expect(subscribed.results).toHaveLength(8);
  });

  test('ends with `complete`, with 204 and with a terminal event whose `__typename` is selected', async () => {
    for (const __typename of ['CompleteEvent', 'ErrorEvent', 'StreamCompleteEvent']) {
      const terminal = resultMessage(`9-${EPOCH}`, { data: { agentStream: { __typename } } });
      const subscribed = subscribe([stream(text(1), terminal).stays()]);
      await advance(0);
      expect(subscribed.results).toHaveLength(2);
      expect(subscribed.calls).toEqual(['complete']);
    }
    for (const reply of [ended(), new Response(null, { status: 204 })]) {
      const subscribed = subscribe([reply]);
      await advance(0);
      expect([subscribed.results, subscribed.calls]).toEqual([[], ['complete']]);
    }
  });

  test.each([
    ['of another server with the type of a terminal event', undefined, { __typename: 'ErrorEvent' }],
    ['that has the name of a custom event as its type', `9-${EPOCH}`, { type: 'COMPLETE' }],
    ['of another type', `9-${EPOCH}`, { __typename: 'LlmChunkEvent' }],
    ['without data', `9-${EPOCH}`, null],
  ])('does not end with a result %s', async (_, id, event) => {
    const subscribed = subscribe([stream(resultMessage(id, { data: { agentStream: event } })).stays()]);
    await advance(0);
    expect(subscribed.results).toHaveLength(1);
    expect(subscribed.calls).toEqual([]);
    subscribed.unsubscribe();
  });

  test('delivers the errors of an event, and continues', async () => {
    const failed = { data: null, errors: [{ message: 'no', extensions: { code: 'INTERNAL' } }] };
    const partial = { ...textOf(2), errors: [{ message: 'no' }] };
    const messages = [resultMessage(`1-${EPOCH}`, failed), resultMessage(`2-${EPOCH}`, partial)];
    const subscribed = subscribe([stream(...messages, text(3), COMPLETE).ends()]);
    await advance(0);
    expect(subscribed.results).toEqual([failed, partial, textOf(3)]);
    expect(subscribed.calls).toEqual(['complete']);
  });

  test('ignores heartbeats that are messages, and types that do not exist yet', async () => {
    const ping = resultMessage(undefined, { data: null, extensions: { ping: true } });
    const later = resultMessage(undefined, { data: {} }).replace('next', 'later');
    const subscribed = subscribe([stream(ping, text(1), ping, later, COMPLETE).ends()]);
    await advance(0);
    expect(subscribed.results).toEqual([textOf(1)]);
  });

  test('has its own connection, and the others continue when it is closed', async () => {
    const { fetch, requests } = scriptedFetch(
      each(() => stream(text(1)).stays()),
      each(() => stream(text(1)).stays()),
    );
    const { subscribe } = createSubscriptions({ url: '/graphql', fetch });
    const ends: number[] = [];
    const unsubscribe = [0, 1, 2].map((i) =>
      subscribe(REQUEST, { next: () => {}, error: () => {}, complete: () => void ends.push(i) }),
    );
    await advance(0);
    unsubscribe[1]!();
    await advance(0);
    expect(requests.map(({ signal }) => signal.aborted)).toEqual([false, true, false]);
    expect(ends).toEqual([1]);
    unsubscribe[0]!();
    unsubscribe[2]!();
  });
});

describe('a permanent rejection', () => {
  test.each<[Reply, string]>([
    [problem(400, 'BAD_CURSOR'), 'BAD_CURSOR'],
    [problem(403, ''), 'FORBIDDEN'],
    [problem(404, 'NOT_FOUND'), 'NOT_FOUND'],
    [problem(401, ''), 'UNAUTHENTICATED'],
    [stream(OPENING, errorMessage('NOT_FOUND')).ends(), 'NOT_FOUND'],
    [stream(OPENING, errorMessage('LATER')).ends(), 'BAD_USER_INPUT'],
    [new Response('<html>', { headers: { 'content-type': 'text/html' } }), 'CONFIG'],
  ])('ends the subscription with an error that has a code (%#)', async (reply, code) => {
    const subscribed = subscribe([reply]);
    await advance(0);
    expect(subscribed.calls).toEqual([`error ${code}`]);
    expect(subscribed.requests).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('after events is an error, too, and nothing is delivered after it', async () => {
    const subscribed = subscribe([
      stream(text(1)).breaks(),
      stream(errorMessage('FORBIDDEN'), text(2)).ends(),
    ]);
    await advance(501);
    expect(subscribed.results).toEqual([textOf(1)]);
    expect(subscribed.calls).toEqual(['error FORBIDDEN']);
  });
});

describe('a connection', () => {
  test.each([
    [429, { 'retry-after': '7' }, 7_000],
    [503, {}, 0],
    [502, {}, 0],
  ])('that is rejected with %i and %o is made again', async (status, headers, ms) => {
    const busy = new Response('busy', { status, headers: headers as Record<string, string> });
    const subscribed = subscribe([busy, ended()]);
    await advance(ms + 499);
    expect(subscribed.requests).toHaveLength(1);
    await advance(1);
    expect(subscribed.calls).toEqual(['complete']);
  });

  test('that is silent for 2.5 heartbeats is replaced, and comments are heartbeats', async () => {
    const subscribed = subscribe([stream(OPENING, text(1), HEARTBEAT).stays(), ended()], {
      heartbeatMs: 1_000,
    });
    await advance(2_499);
    expect(subscribed.requests[0]!.signal.aborted).toBe(false);
    await advance(502);
    expect(subscribed.requests[0]!.signal.aborted).toBe(true);
    expect(lastIds(subscribed)).toEqual([null, `1-${EPOCH}`]);
  });

  test('whose token is rejected is made again with a new token, once for all subscriptions', async () => {
    const token = vi.fn(async () => `t${token.mock.calls.length}`);
    const { fetch, requests } = scriptedFetch(({ headers }) =>
      headers.get('authorization') === 'Bearer t1' ? problem(401, 'UNAUTHENTICATED') : ended(),
    );
    const { subscribe } = createSubscriptions({ url: '/graphql', fetch, token });
    let ends = 0;
    const complete = () => {
      ends += 1;
    };
    for (let i = 0; i < 3; i += 1) subscribe(REQUEST, { next: () => {}, error: () => {}, complete });
    await advance(0);
    expect([ends, requests.length, token.mock.calls.length]).toEqual([3, 6, 2]);
  });

  test('reports its states to `onConnection`', async () => {
    const onConnection = vi.fn();
    const subscribed = subscribe([stream(text(1)).breaks(), ended()], { onConnection });
    await advance(501);
    expect(subscribed.calls).toEqual(['complete']);
    const states = onConnection.mock.calls.map(([{ status }]) => status);
    expect(states).toEqual(['live', 'waiting', 'connecting', 'live', 'ended']);
    expect(onConnection.mock.calls[0]![1]).toEqual(REQUEST);
  });
});

describe('closing', () => {
  test.each<[string, Reply]>([
    ['is connected', stream(text(1)).stays()],
    ['waits for a response', 'hang'],
    ['waits for its next attempt', new TypeError('offline')],
  ])('a subscription that %s disconnects, completes it and leaves no timer', async (_, reply) => {
    const subscribed = subscribe([reply]);
    await advance(1);
    subscribed.unsubscribe();
    await advance(0);
    expect(subscribed.requests[0]!.signal.aborted).toBe(true);
    expect(subscribed.calls).toEqual(['complete']);
    expect(vi.getTimerCount()).toBe(0);
    subscribed.unsubscribe();
    await advance(1e6);
    expect(subscribed.calls).toEqual(['complete']);
    expect(subscribed.requests).toHaveLength(1);
  });

  test('a subscription before its first request sends none', async () => {
    const subscribed = subscribe([stream(text(1)).stays()]);
    subscribed.unsubscribe();
    await advance(1e6);
    expect([subscribed.requests.length, subscribed.calls]).toEqual([0, ['complete']]);
  });

  test('a subscription in `next` delivers no further result, though it has arrived', async () => {
    const subscribed: Subscribed = subscribe([stream(text(1) + text(2)).stays()], {}, REQUEST, () =>
      subscribed.unsubscribe(),
    );
    await advance(0);
    expect([subscribed.results, subscribed.calls]).toEqual([[textOf(1)], ['complete']]);
  });

  test('all subscriptions completes each of them, and new ones may follow', async () => {
    const { fetch, requests } = scriptedFetch(each(() => stream(text(1)).stays()));
    const { subscribe, iterate, close } = createSubscriptions({ url: '/graphql', fetch });
    const calls: string[] = [];
    const sink = {
      next: () => void calls.push('next'),
      error: () => void calls.push('error'),
      complete: () => void calls.push('complete'),
    };
    subscribe(REQUEST, sink);
    const results = iterate(REQUEST);
    await advance(0);
    expect(await results.next()).toEqual({ done: false, value: textOf(1) });
    const last = results.next();
    close();
    await advance(0);
    expect(await last).toEqual({ done: true, value: undefined });
    expect(calls).toEqual(['next', 'complete']);
    expect(requests.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    subscribe(REQUEST, sink)();
  });

  test('does not concern subscriptions that have ended', async () => {
    const { fetch } = scriptedFetch(ended());
    const { iterate, close } = createSubscriptions({ url: '/graphql', fetch });
    const results = iterate(REQUEST);
    expect(await results.next()).toEqual({ done: true, value: undefined });
    const leave = vi.spyOn(results, 'return');
    close();
    expect(leave).not.toHaveBeenCalled();
  });

  test('is also what an aborted signal does, with its reason as the error', async () => {
    const controller = new AbortController();
    const subscribed = subscribe([stream(text(1)).stays()], { signal: controller.signal });
    await advance(0);
    controller.abort(new Error('signed out'));
    await advance(0);
    expect(subscribed.calls).toEqual(['error signed out']);
  });
});

test('an error that `next` throws ends the subscription', async () => {
  const subscribed = subscribe([stream(text(1), text(2)).stays()], {}, REQUEST, () => {
    throw new Error('of the application');
  });
  await advance(0);
  expect(subscribed.results).toHaveLength(1);
  expect(subscribed.calls).toEqual(['error of the application']);
  expect(subscribed.requests[0]!.signal.aborted).toBe(true);
});

test('an iterator reads nothing from the network while its loop is busy, and disconnects when it is left', async () => {
  let pulled = 0;
  const source = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(new TextEncoder().encode(text(pulled)));
      },
    },
    { highWaterMark: 0 },
  );
  const { fetch, requests } = scriptedFetch(
    new Response(source, { headers: { 'content-type': 'text/event-stream' } }),
  );
  const seen: unknown[] = [];
  for await (const result of createSubscriptions({ url: '/', fetch }).iterate(REQUEST)) {
    seen.push(result);
    await advance(1e6);
    expect(pulled).toBe(seen.length);
    if (seen.length === 3) break;
  }
  expect(seen).toEqual([textOf(1), textOf(2), textOf(3)]);
  expect(requests).toHaveLength(1);
  expect(requests[0]!.signal.aborted).toBe(true);
});
