// `client.watch`: resuming, errors, tokens, the watchdog, the page's lifecycle and backpressure, with a scripted server.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type ConnectionState,
  createClient,
  ExecstreamError,
  type WatchOptions,
} from '../../src/client/index.ts';
import type { ExecutionEvent } from '../../src/event/events.ts';
import { pageForTest } from './page.ts';
import {
  COMPLETE,
  EPOCH,
  each,
  endOf,
  errorMessage,
  eventOf,
  HEARTBEAT,
  messageOf,
  next,
  OPENING,
  problem,
  type Reply,
  scriptedFetch,
  stream,
} from './scripted-fetch.ts';

const END = messageOf(endOf(9));
const ended = () => stream(OPENING, END, COMPLETE).ends();

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

interface Watch {
  readonly requests: ReturnType<typeof scriptedFetch>['requests'];
  readonly events: ExecutionEvent[];
  readonly done: Promise<string>;
}

/** Reads everything; `done` is `ended`, or the code or name of the error. */
function watch(replies: Reply[], options: WatchOptions & { token?: () => Promise<string> } = {}): Watch {
  const { fetch, requests } = scriptedFetch(...replies);
  const { token, ...rest } = options;
  const client = createClient({ url: 'http://server', fetch, ...(token && { token }) });
  const events: ExecutionEvent[] = [];
  const read = async () => {
    for await (const event of client.watch('agent', 'a1', rest)) events.push(event);
    return 'ended';
  };
  const done = read().catch((error) => error.code ?? error.message);
  // A DOMException has a numeric code.
  return { requests, events, done: done.then(String) };
}

const advance = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const seqs = ({ events }: Watch) => events.map(({ seq }) => seq);

describe('a stream', () => {
  test('is a GraphQL subscription by GET, and its events are those of the server', async () => {
    const watched = watch([stream(OPENING, next(1), END, COMPLETE).ends()], { events: ['llm_chunk'] });
    expect(await watched.done).toBe('ended');
    const { url, headers } = watched.requests[0]!;
    expect(url.pathname).toBe('/graphql');
    expect(url.searchParams.get('query')).toContain('agentStream(id:$id,events:$events)');
    expect(JSON.parse(url.searchParams.get('variables')!)).toEqual({ id: 'a1', events: ['LLM_CHUNK'] });
    expect(Object.fromEntries(headers)).toEqual({ accept: 'text/event-stream' });
    expect(watched.events).toEqual([eventOf(1), endOf(9)]);
  });

  test.each([
    ['https://streams.example.com', 'https://streams.example.com/graphql'],
    ['https://example.com/streams/', 'https://example.com/streams/graphql'],
    ['/', 'http://server/graphql'],
    ['/streams', 'http://server/streams/graphql'],
  ])('of a server at %s is requested at %s', async (url, expected) => {
    const { fetch, requests } = scriptedFetch(ended());
    await createClient({ url, fetch }).watch('task', 't 1').next();
    const { origin, pathname } = requests[0]!.url;
    expect(origin + pathname).toBe(expected);
  });

  test.each([
    ['breaks', stream(OPENING, next(1), next(2)).breaks()],
    ['ends without a terminal event', stream(OPENING, next(1), next(2)).ends()],
    ['is cut inside a message', stream(OPENING, next(1), next(2), next(3).slice(0, 40)).breaks()],
    ['is damaged', stream(OPENING, next(1), next(2), 'id: 3-x\nevent: next\ndata: {\n\n').breaks()],
  ])('that %s continues after its last event', async (_, first) => {
    const watched = watch([first, stream(OPENING, next(3), END).ends()]);
    await advance(1_001);
    expect(await watched.done).toBe('ended');
    expect(seqs(watched)).toEqual([1, 2, 3, 9]);
    const lastIds = watched.requests.map(({ headers }) => headers.get('last-event-id'));
    expect(lastIds).toEqual([null, `2-${EPOCH}`]);
  });

  test('continues after an id without data, which a filtered stream sends', async () => {
    const first = stream(OPENING, next(1), `id: 7-${EPOCH}\n\n`).breaks();
    const watched = watch([first, ended()], { after: `0-${EPOCH}` });
    await advance(1_001);
    expect(await watched.done).toBe('ended');
    const lastIds = watched.requests.map(({ headers }) => headers.get('last-event-id'));
    expect(lastIds).toEqual([`0-${EPOCH}`, `7-${EPOCH}`]);
  });

  test('delivers an event that is sent again once, also after another one', async () => {
    const first = stream(OPENING, next(1), next(1), next(2), next(1)).breaks();
    const watched = watch([first, stream(next(1), next(2), next(3), END).ends()]);
    await advance(1_001);
    expect(await watched.done).toBe('ended');
    expect(seqs(watched)).toEqual([1, 2, 3, 9]);
  });

  test('delivers a warning of the server, which repeats the position of the last event', async () => {
    const warn = (ts: string): ExecutionEvent => ({
      ...eventOf(1, { type: 'warning', data: { code: 'SOURCE_UNAVAILABLE', message: 'no' } }),
      ts,
    });
    const stored = warn('2026-01-01T00:00:00.000Z');
    const generated = warn('2026-01-01T00:00:01.000Z');
    const watched = watch([
      stream(...[stored, stored, generated, eventOf(2), endOf(9)].map(messageOf)).ends(),
    ]);
    expect(await watched.done).toBe('ended');
    expect(watched.events.map(({ ts }) => ts.slice(17, 19))).toEqual(['00', '01', '05', '05']);
  });

  test('delivers all events after a `reset`, of another epoch or of the same one', async () => {
    const reset = (epoch: string) => eventOf(0, { type: 'reset', data: { reason: 'log_lost' } }, epoch);
    const chunk = eventOf(1, undefined, 'other00000');
    const watched = watch([
      stream(
        next(1),
        messageOf(reset(EPOCH)),
        next(1),
        messageOf(reset('other00000')),
        messageOf(chunk),
        END,
      ).ends(),
    ]);
    expect(await watched.done).toBe('ended');
    expect(watched.events.map(({ id }) => id)).toEqual([
      `1-${EPOCH}`,
      `0-${EPOCH}`,
      `1-${EPOCH}`,
      '0-other00000',
      '1-other00000',
      `9-${EPOCH}`,
    ]);
  });

  test('ends after 204, after `complete` and after the terminal event, although it was received before', async () => {
    expect(await watch([new Response(null, { status: 204 })]).done).toBe('ended');
    expect(await watch([stream(OPENING, COMPLETE).ends()]).done).toBe('ended');
    const again = watch([stream(END).stays()], { after: `9-${EPOCH}` });
    expect(await again.done).toBe('ended');
    expect(again.events).toEqual([]);
    expect(again.requests).toHaveLength(1);
  });

  test('ignores messages without an event: pings, and types that do not exist yet', async () => {
    const ping = 'event: next\ndata: {"data":null,"extensions":{"ping":true}}\n\n';
    const watched = watch([stream(ping, 'event: later\ndata: x\n\n', END).ends()]);
    expect(await watched.done).toBe('ended');
    expect(seqs(watched)).toEqual([9]);
  });
});

describe('`onConnection`', () => {
  test('is called after each change, with the reason and the time of the next attempt', async () => {
    const states: ConnectionState[] = [];
    const replies = [stream(OPENING, next(1)).breaks(), new TypeError('fetch failed'), ended()];
    const watched = watch(replies, { onConnection: (state) => states.push(state) });
    await advance(3_000);
    expect(await watched.done).toBe('ended');
    expect(states).toEqual([
      { status: 'live' },
      { status: 'waiting', reason: expect.any(String), retryAt: 1_000_501 },
      { status: 'connecting' },
      { status: 'waiting', reason: 'fetch failed', retryAt: expect.any(Number) },
      { status: 'connecting' },
      { status: 'live' },
      { status: 'ended' },
    ]);
  });

  test('is called with the error of a rejection, and with the reason if the stream was closed', async () => {
    const states: ConnectionState[] = [];
    const onConnection = (state: ConnectionState) => states.push(state);
    expect(await watch([problem(404, 'NOT_FOUND')], { onConnection }).done).toBe('NOT_FOUND');
    expect(states).toMatchObject([{ status: 'failed', error: { code: 'NOT_FOUND' } }]);
    states.length = 0;
    const closing = new AbortController();
    const watched = watch([stream(OPENING).stays()], { onConnection, signal: closing.signal });
    await advance(1);
    closing.abort();
    await watched.done;
    expect(states).toEqual([{ status: 'live' }, { status: 'ended', reason: 'closed' }]);
  });
});

describe('a rejection', () => {
  test('is an ExecstreamError of the option `fetch`, too', async () => {
    expect(await watch([new ExecstreamError('CONFIG', 'no such host')]).done).toBe('CONFIG');
    const watched = watch([new ExecstreamError('SOURCE_UNAVAILABLE', 'try later'), ended()]);
    await advance(1_000);
    expect(await watched.done).toBe('ended');
  });

  test.each([
    [400, 'BAD_CURSOR', 'BAD_CURSOR'],
    [403, 'FORBIDDEN', 'FORBIDDEN'],
    [404, 'NOT_FOUND', 'NOT_FOUND'],
    [404, 'UNKNOWN_TO_US', 'NOT_FOUND'],
    [403, '', 'FORBIDDEN'],
    [401, '', 'UNAUTHENTICATED'],
    [405, '', 'BAD_USER_INPUT'],
  ])(
    'with the status %i and the code "%s" ends the stream with the error %s',
    async (status, code, expected) => {
      const watched = watch([problem(status, code)]);
      expect(await watched.done).toBe(expected);
      expect(watched.requests).toHaveLength(1);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  test('has the code of GraphQL errors, in a JSON body or in the stream', async () => {
    const json = JSON.stringify({ errors: [{ message: 'no', extensions: { code: 'FORBIDDEN' } }] });
    expect(await watch([new Response(json, { status: 403 })]).done).toBe('FORBIDDEN');
    expect(await watch([stream(OPENING, errorMessage('NOT_FOUND')).ends()]).done).toBe('NOT_FOUND');
    expect(await watch([stream(OPENING, errorMessage('NEW_CODE')).ends()]).done).toBe('BAD_USER_INPUT');
  });

  test('by a proxy has the code of its status', async () => {
    expect(await watch([new Response('<html>', { status: 404 })]).done).toBe('NOT_FOUND');
  });

  test('is a response that is not an event stream', async () => {
    const page = new Response('<html>', { headers: { 'content-type': 'text/html' } });
    expect(await watch([page]).done).toBe('CONFIG');
  });

  test.each([
    [429, { 'retry-after': '7' }, 7_000],
    [503, { 'retry-after': '7' }, 7_000],
    [503, { 'retry-after': new Date(1_007_000).toUTCString() }, 7_000],
    [503, {}, 0],
    [500, {}, 0],
    [502, {}, 0],
    [408, {}, 0],
  ])('with the status %i and %o is temporary', async (status, headers, ms) => {
    const watched = watch([
      new Response('busy', { status, headers: headers as Record<string, string> }),
      ended(),
    ]);
    await advance(ms + 499);
    expect(watched.requests).toHaveLength(1);
    await advance(1);
    expect(await watched.done).toBe('ended');
    expect(watched.requests).toHaveLength(2);
  });

  test('of a temporary kind in the stream is repeated, and so is an internal error', async () => {
    const replies = ['SOURCE_UNAVAILABLE', 'INTERNAL'].map((code) => stream(errorMessage(code)).ends());
    const watched = watch([...replies, ended()]);
    await advance(3_000);
    expect(await watched.done).toBe('ended');
    expect(watched.requests).toHaveLength(3);
  });
});

describe('a delay', () => {
  test('doubles with every failure of the network, and is the first one again after an event', async () => {
    const lost = new TypeError('fetch failed');
    const watched = watch([lost, lost, lost, stream(next(1)).breaks(), ended()]);
    const delays: number[] = [];
    await advance(0);
    for (let requests = 1; requests < 5; requests += 1) {
      const startedAt = Date.now();
      while (watched.requests.length === requests) await advance(1);
      delays.push(Date.now() - startedAt);
    }
    expect(delays).toEqual([500, 1_000, 2_000, 500]);
    expect(await watched.done).toBe('ended');
  });

  test('is at least that of `retry:`', async () => {
    const watched = watch([stream('retry: 5000\n\n', next(1)).breaks(), ended()]);
    await advance(5_499);
    expect(watched.requests).toHaveLength(1);
    await advance(1);
    expect(watched.requests).toHaveLength(2);
  });

  test('of a malformed or endless `retry:` is not a busy loop', async () => {
    const watched = watch([each(() => stream('retry: 99999999999999999999\n\n').ends())], {
      signal: AbortSignal.timeout(1e8),
    });
    await advance(1e7);
    expect(watched.requests).toHaveLength(1);
  });
});

describe('the watchdog', () => {
  test('replaces a connection on which nothing arrives for 2.5 heartbeats', async () => {
    const watched = watch([stream(OPENING, next(1)).stays(), ended()], { heartbeatMs: 1_000 });
    await advance(2_499);
    expect(watched.requests[0]!.signal.aborted).toBe(false);
    await advance(1);
    expect(watched.requests[0]!.signal.aborted).toBe(true);
    await advance(501);
    expect(await watched.done).toBe('ended');
    expect(watched.requests[1]!.headers.get('last-event-id')).toBe(`1-${EPOCH}`);
  });

  test('replaces a request without a response', async () => {
    const watched = watch(['hang', ended()], { heartbeatMs: 1_000 });
    await advance(3_000);
    expect(await watched.done).toBe('ended');
    expect(watched.requests[0]!.signal.aborted).toBe(true);
  });

  test('is satisfied by comments, and by parts of a message', async () => {
    let body: ReadableStreamDefaultController<Uint8Array> | undefined;
    const source = new ReadableStream<Uint8Array>({
      start: (controller) => {
        body = controller;
      },
    });
    const reply = new Response(source, { headers: { 'content-type': 'text/event-stream' } });
    const watched = watch([reply, ended()], { heartbeatMs: 1_000 });
    for (const part of [HEARTBEAT, HEARTBEAT, 'da', 'ta']) {
      await advance(2_400);
      body!.enqueue(new TextEncoder().encode(part));
    }
    await advance(2_400);
    expect(watched.requests).toHaveLength(1);
    await advance(700);
    expect(watched.requests).toHaveLength(2);
  });

  test('does not run while the consumer is busy, which reads nothing from the network', async () => {
    let pulled = 0;
    const source = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          pulled += 1;
          controller.enqueue(new TextEncoder().encode(pulled === 9 ? END : next(pulled)));
        },
      },
      { highWaterMark: 0 },
    );
    const { fetch, requests } = scriptedFetch(
      new Response(source, { headers: { 'content-type': 'text/event-stream' } }),
    );
    const events = createClient({ url: '/', fetch, heartbeatMs: 1_000 }).watch('agent', 'a1');
    await events.next();
    await advance(1e6);
    expect(pulled).toBe(1);
    await events.next();
    expect(pulled).toBe(2);
    for await (const _ of events);
    expect(requests).toHaveLength(1);
  });
});

describe('a token', () => {
  test('that is rejected is renewed immediately, and the request repeated', async () => {
    const token = vi.fn(async () => `t${token.mock.calls.length}`);
    const watched = watch([problem(401, 'UNAUTHENTICATED'), ended()], { token });
    await advance(0);
    expect(await watched.done).toBe('ended');
    const sent = watched.requests.map(({ headers }) => headers.get('authorization'));
    expect(sent).toEqual(['Bearer t1', 'Bearer t2']);
  });

  test('that is rejected twice ends the stream', async () => {
    const watched = watch([each(() => problem(401, 'UNAUTHENTICATED'))], { token: async () => 't' });
    await advance(0);
    expect(await watched.done).toBe('UNAUTHENTICATED');
    expect(watched.requests).toHaveLength(2);
  });

  test('is renewed before a reconnect', async () => {
    const token = vi.fn(async () => `t${token.mock.calls.length}`);
    const watched = watch([stream(next(1)).breaks(), ended()], { token });
    await advance(501);
    expect(await watched.done).toBe('ended');
    const sent = watched.requests.map(({ headers }) => headers.get('authorization'));
    expect(sent).toEqual(['Bearer t1', 'Bearer t2']);
  });

  test('is requested once for all streams of a client, at the start and when the server has restarted', async () => {
    const token = vi.fn(async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return `t${token.mock.calls.length}`;
    });
    const { fetch, requests } = scriptedFetch((request) =>
      request.headers.get('authorization') === 'Bearer t1' ? stream(next(1)).breaks() : ended(),
    );
    const client = createClient({ url: '/', fetch, token });
    const streams = Array.from({ length: 8 }, async (_, i) => {
      for await (const _event of client.watch('agent', `a${i}`));
    });
    await advance(2_000);
    await Promise.all(streams);
    expect(requests).toHaveLength(16);
    expect(token).toHaveBeenCalledTimes(2);
  });

  test('that cannot be obtained is requested again after a delay', async () => {
    const token = vi.fn(async () => 't');
    token.mockRejectedValueOnce(new Error('offline'));
    const watched = watch([ended()], { token });
    await advance(501);
    expect(await watched.done).toBe('ended');
  });
});

describe('in a page', () => {
  test.each(['visible', 'resume', 'pageshow', 'online'] as const)(
    'a stream that waits connects immediately at `%s`',
    async (event) => {
      using page = pageForTest();
      const watched = watch([new TypeError('offline'), ended()]);
      await advance(10);
      page.fire(event);
      await advance(0);
      expect(await watched.done).toBe('ended');
    },
  );

  test('a stream that waits for Retry-After does not connect before it', async () => {
    using page = pageForTest();
    const watched = watch([problem(503, 'CAPACITY', { 'retry-after': '5' }), ended()]);
    await advance(10);
    page.fire('visible');
    await advance(4_900);
    expect(watched.requests).toHaveLength(1);
    await advance(100);
    expect(watched.requests).toHaveLength(2);
  });

  test('a connection that was silent for more than 1.25 heartbeats is replaced when the page is used again', async () => {
    using page = pageForTest();
    const watched = watch([stream(next(1)).stays(), ended()], { heartbeatMs: 1_000 });
    await advance(1_000);
    page.fire('online');
    await advance(249);
    expect(watched.requests[0]!.signal.aborted).toBe(false);
    await advance(1);
    expect(watched.requests[0]!.signal.aborted).toBe(true);
  });

  test('a page that was frozen replaces its connection immediately', async () => {
    using page = pageForTest();
    const watched = watch([stream(next(1)).stays(), ended()], { heartbeatMs: 1_000 });
    await advance(10);
    // No timer of a frozen page fires.
    vi.setSystemTime(Date.now() + 3_600_000);
    page.fire('resume');
    await advance(0);
    expect(watched.requests[0]!.signal.aborted).toBe(true);
  });

  test('a stream with pauseWhileHidden disconnects while the page is hidden, and continues after its last event', async () => {
    using page = pageForTest();
    const watched = watch([stream(next(1)).stays(), ended()], { pauseWhileHidden: true });
    await advance(10);
    page.fire('hidden');
    await advance(100_000);
    expect(watched.requests[0]!.signal.aborted).toBe(true);
    page.fire('online');
    await advance(100_000);
    expect(watched.requests).toHaveLength(1);
    page.fire('visible');
    await advance(0);
    expect(await watched.done).toBe('ended');
    expect(seqs(watched)).toEqual([1, 9]);
  });

  test('a stream with pauseWhileHidden in a hidden page does not connect', async () => {
    using page = pageForTest();
    page.fire('hidden');
    const watched = watch([ended()], { pauseWhileHidden: true });
    await advance(100_000);
    expect(watched.requests).toHaveLength(0);
    page.fire('visible');
    await advance(0);
    expect(await watched.done).toBe('ended');
  });

  test('a stream without pauseWhileHidden stays connected', async () => {
    using page = pageForTest();
    const watched = watch([stream(next(1)).stays()]);
    await advance(10);
    page.fire('hidden');
    await advance(10);
    expect(watched.requests[0]!.signal.aborted).toBe(false);
  });

  test('nothing remains when a stream has ended', async () => {
    using page = pageForTest();
    const watched = watch([ended()]);
    expect(await watched.done).toBe('ended');
    expect(page.listeners).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a stream that is left', () => {
  test('by `break` closes its connection', async () => {
    using page = pageForTest();
    const { fetch, requests } = scriptedFetch(stream(next(1)).stays());
    for await (const _ of createClient({ url: '/', fetch }).watch('agent', 'a1')) break;
    expect(requests[0]!.signal.aborted).toBe(true);
    expect(page.listeners).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([
    ['connecting', 'hang' as const],
    ['live', stream(next(1)).stays()],
    ['waiting', new TypeError('offline')],
  ])('by its signal while it is %s throws the reason, and nothing remains', async (_, reply) => {
    const controller = new AbortController();
    const watched = watch([reply], { signal: controller.signal });
    await advance(10);
    controller.abort(new Error('left'));
    expect(await watched.done).toBe('left');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('by its signal before the start sends no request', async () => {
    const watched = watch([ended()], { signal: AbortSignal.abort(new Error('left')) });
    expect(await watched.done).toBe('left');
    expect(watched.requests).toEqual([]);
  });

  test('by `return` while it waits for an event closes its connection and ends', async () => {
    const { fetch, requests } = scriptedFetch(stream(next(1)).stays());
    const events = createClient({ url: '/', fetch }).watch('agent', 'a1');
    await events.next();
    const awaited = events.next();
    const left = events.return();
    expect(await awaited).toEqual({ done: true, value: undefined });
    expect(await left).toEqual({ done: true, value: undefined });
    expect(requests[0]!.signal.aborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('by its signal delivers no further event of the same packet', async () => {
    const controller = new AbortController();
    const { fetch } = scriptedFetch(stream(next(1) + next(2)).stays());
    const events = createClient({ url: '/', fetch }).watch('agent', 'a1', { signal: controller.signal });
    await events.next();
    controller.abort(new Error('left'));
    await expect(events.next()).rejects.toThrow('left');
  });
});
