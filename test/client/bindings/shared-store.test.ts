// The stores that components share: one connection for all of them, and one update per animation frame.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type ExecutionOptions,
  executionRequest,
  executionsRequest,
} from '../../../src/client/bindings/requests.ts';
import { shareStore } from '../../../src/client/bindings/shared-store.ts';
import { createClient } from '../../../src/client/index.ts';
import { initialState, reduce } from '../../../src/event/state.ts';
import {
  EPOCH,
  endOf,
  eventOf,
  messageOf,
  next,
  OPENING,
  problem,
  type Reply,
  scriptedFetch,
  stream,
} from '../scripted-fetch.ts';

const END = messageOf(endOf(3));

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function server(...replies: Reply[]) {
  const { fetch, requests } = scriptedFetch(...replies);
  const client = createClient({ url: '/', fetch, backoff: { firstMs: 1, maxMs: 1 } });
  const share = (id = 'a1', options: ExecutionOptions = {}) =>
    shareStore(executionRequest(client, 'agent', id, options));
  return { client, requests, share };
}

const advance = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** Defines animation frames that are drawn by `draw`. */
function stubFrames() {
  const frames = new Map<number, () => void>();
  let count = 0;
  vi.stubGlobal('requestAnimationFrame', (callback: () => void) => {
    count += 1;
    frames.set(count, callback);
    return count;
  });
  vi.stubGlobal('cancelAnimationFrame', (frame: number) => frames.delete(frame));
  return {
    frames,
    draw: () => {
      for (const [frame, callback] of [...frames]) {
        frames.delete(frame);
        callback();
      }
    },
  };
}

describe('a shared store', () => {
  test('connects with the first subscription, and disconnects in the task after the last', async () => {
    const { share, requests } = server(stream(OPENING, next(1)).stays());
    const store = share();
    expect(store.snapshot).toEqual({
      state: initialState('agent'),
      connection: { status: 'connecting' },
      error: undefined,
    });
    await advance(1_000);
    expect(requests).toHaveLength(0);
    const listener = vi.fn();
    const leave = store.subscribe(listener);
    await advance(20);
    expect(store.snapshot).toMatchObject({ state: { text: '1 ' }, connection: { status: 'live' } });
    expect(listener).toHaveBeenCalledTimes(1);
    leave();
    expect(requests[0]!.signal.aborted).toBe(false);
    await advance(1);
    expect(requests[0]!.signal.aborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('has one connection for components that are mounted, unmounted and mounted again', async () => {
    const { share, requests } = server(stream(OPENING, next(1)).stays());
    const store = share();
    store.subscribe(() => {})();
    const leave = store.subscribe(() => {});
    await advance(20);
    leave();
    const other = share();
    const leaveOther = other.subscribe(() => {});
    await advance(20);
    expect(requests).toHaveLength(1);
    expect(requests[0]!.signal.aborted).toBe(false);
    expect(other.snapshot.state.text).toBe('1 ');
    leaveOther();
  });

  test('is one store for equal options, and another for another kind, id, client or option', async () => {
    const { share, requests, client } = server('hang');
    const backoff = { firstMs: 1, maxMs: 2 };
    const leave = [
      share('a1', { mode: 'TEXT', backoff }),
      share('a1', { backoff: { ...backoff }, mode: 'TEXT' }),
    ].map((store) => store.subscribe(() => {}));
    await advance(0);
    expect(requests).toHaveLength(1);
    const others = [
      share('a2', { mode: 'TEXT', backoff }),
      share('a1', { mode: 'STRUCTURED', backoff }),
      share('a1', { mode: 'TEXT' }),
      share('a1', { mode: 'TEXT', backoff: { firstMs: 2, maxMs: 2 } }),
      share('a1', { mode: 'TEXT', backoff: { firstMs: 1, maxMs: 3 } }),
      share('a1', { mode: 'TEXT', backoff, heartbeatMs: 1_000 }),
      share('a1', { mode: 'TEXT', backoff, pauseWhileHidden: true }),
      shareStore(executionRequest(client, 'task', 'a1', { mode: 'TEXT', backoff })),
      shareStore(executionRequest(server('hang').client, 'agent', 'a1', { mode: 'TEXT', backoff })),
      shareStore(executionsRequest(client, {}, {})),
      shareStore(executionsRequest(client, { kind: 'agent' }, {})),
      shareStore(executionsRequest(client, { kind: 'agent' }, { pollMs: 5_000 })),
      shareStore(executionsRequest(client, { kind: 'agent', status: 'RUNNING' }, {})),
      shareStore(executionsRequest(client, { kind: 'agent', first: 5 }, {})),
    ];
    leave.push(...others.map((store) => store.subscribe(() => {})));
    await advance(0);
    // All but the one of the other client.
    expect(requests).toHaveLength(others.length);
    for (const each of leave) each();
    await advance(1);
    expect(requests.filter(({ signal }) => !signal.aborted)).toEqual([]);
  });

  test('without an id is idle, and does not connect', async () => {
    const { requests, client } = server('hang');
    const execution = (id: null | undefined) => shareStore(executionRequest(client, 'agent', id, {}));
    for (const store of [
      execution(null),
      execution(undefined),
      shareStore(executionsRequest(client, null, {})),
    ]) {
      const leave = store.subscribe(() => {});
      await advance(10);
      store.retry();
      expect(store.snapshot.connection).toEqual({ status: 'idle' });
      leave();
    }
    expect(requests).toHaveLength(0);
  });

  test('begins with an initial state, and continues after it', async () => {
    const initial = [eventOf(1), eventOf(2)].reduce(reduce, initialState('agent', 'TEXT'));
    const { share, requests } = server(stream(OPENING, next(2), END).ends());
    const store = share('a1', { initial, mode: 'TEXT' });
    expect(store.initial.state).toBe(initial);
    const leave = store.subscribe(() => {});
    expect(store.snapshot).toBe(store.initial);
    await advance(20);
    expect(requests[0]!.headers.get('last-event-id')).toBe(`2-${EPOCH}`);
    expect(store.snapshot).toMatchObject({
      state: { text: '1 2 ', status: 'SUCCESS' },
      connection: { status: 'ended' },
    });
    leave();
  });

  test('that is subscribed to again after it was closed continues after its state', async () => {
    const { share, requests } = server(stream(OPENING, next(1)).stays());
    const store = share();
    store.subscribe(() => {})();
    await advance(20);
    expect(store.snapshot.state.text).toBe('');
    const leave = store.subscribe(() => {});
    await advance(20);
    leave();
    await advance(1);
    expect(store.snapshot).toMatchObject({ state: { text: '1 ' }, connection: { status: 'connecting' } });
    store.subscribe(() => {});
    await advance(1);
    expect(requests.map(({ headers }) => headers.get('last-event-id'))).toEqual([null, null, `1-${EPOCH}`]);
  });

  test('that the server rejects has its error, and connects again on request', async () => {
    const { share, requests } = server(problem(404, 'NOT_FOUND'), stream(OPENING, END).ends());
    const store = share();
    const seen: string[] = [];
    const leave = store.subscribe(() => seen.push(store.snapshot.connection.status));
    store.retry();
    await advance(20);
    expect(requests).toHaveLength(1);
    expect(store.snapshot.error).toMatchObject({ code: 'NOT_FOUND' });
    await advance(60_000);
    store.retry();
    expect(store.snapshot).toMatchObject({ connection: { status: 'connecting' }, error: undefined });
    await advance(20);
    expect(store.snapshot).toMatchObject({ state: { status: 'SUCCESS' }, error: undefined });
    store.retry();
    await advance(20);
    expect(requests).toHaveLength(2);
    expect(seen).toEqual(['failed', 'connecting', 'ended']);
    leave();
  });
});

describe('the updates of a shared store', () => {
  const many = Array.from({ length: 1_000 }, (_, i) => next(i + 1));

  test('come once per animation frame, with everything that has arrived', async () => {
    const { frames, draw } = stubFrames();
    const { share } = server(stream(OPENING, ...many).stays());
    const store = share();
    const listener = vi.fn();
    const leave = store.subscribe(listener);
    await advance(50);
    expect([listener.mock.calls.length, frames.size]).toEqual([0, 1]);
    const before = store.snapshot;
    expect(before.state.text).toBe('');
    draw();
    expect(listener).toHaveBeenCalledTimes(1);
    expect(store.snapshot.state.cursor).toBe(`1000-${EPOCH}`);
    const after = store.snapshot;
    expect(after).not.toBe(before);
    await advance(1_000);
    expect([listener.mock.calls.length, frames.size]).toEqual([1, 0]);
    expect(store.snapshot).toBe(after);
    leave();
  });

  test('are canceled when the last listener leaves', async () => {
    const { frames } = stubFrames();
    const { share } = server(stream(OPENING, next(1)).stays());
    const leave = share().subscribe(() => {});
    await advance(20);
    expect(frames.size).toBe(1);
    leave();
    await advance(1);
    expect([frames.size, vi.getTimerCount()]).toEqual([0, 0]);
  });

  test('come without frames, too, as on a hidden page', async () => {
    const { frames } = stubFrames();
    const { share } = server(stream(OPENING, next(1)).stays());
    const store = share();
    const listener = vi.fn();
    const leave = store.subscribe(listener);
    await advance(99);
    expect(listener).not.toHaveBeenCalled();
    await advance(2);
    expect([listener.mock.calls.length, frames.size]).toEqual([1, 0]);
    expect(store.snapshot.state.text).toBe('1 ');
    leave();
  });

  test('come immediately where frames are, as in the tests of applications', async () => {
    vi.stubGlobal('requestAnimationFrame', (callback: () => void) => {
      callback();
      return 1;
    });
    const { share } = server(stream(OPENING, next(1), next(2)).stays());
    const store = share();
    const seen: (string | undefined)[] = [];
    const leave = store.subscribe(() => seen.push(store.snapshot.state.text));
    await advance(1);
    expect(seen).toEqual(['', '1 ', '1 2 ']);
    leave();
    await advance(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('do not reach a listener that has left, also in the same frame', async () => {
    const { frames, draw } = stubFrames();
    const { share } = server(stream(OPENING, next(1)).stays());
    const store = share();
    const late = vi.fn();
    const leaveFirst = store.subscribe(() => leaveLate());
    const leaveLate = store.subscribe(late);
    await advance(20);
    draw();
    leaveFirst();
    await advance(1_000);
    expect(late).not.toHaveBeenCalled();
    expect([vi.getTimerCount(), frames.size]).toEqual([0, 0]);
  });

  test('of a list begin with its initial executions, and keep them until the first response', async () => {
    const rows = [{ id: 'a1' }];
    const page = () => Response.json({ data: { executions: { edges: [] } } });
    const { client } = server(page);
    const store = shareStore(executionsRequest(client, {}, { initial: rows as never }));
    const leave = store.subscribe(() => {});
    expect(store.snapshot.state).toBe(rows);
    await advance(20);
    expect(store.snapshot).toMatchObject({ state: [], connection: { status: 'live' } });
    leave();
  });
});
