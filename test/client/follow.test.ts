// `client.follow`: the store of one execution, and the storage that it survives a reload with.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ConnectionState, createClient, type FollowOptions } from '../../src/client/index.ts';
import { type ExecutionState, initialState, reduce } from '../../src/event/state.ts';
import { pageForTest } from './page.ts';
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
} from './scripted-fetch.ts';

const END = messageOf(endOf(3));
const KEY = 'execstream:agent:a1';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function follow(replies: Reply[], options: FollowOptions = {}) {
  const { fetch, requests } = scriptedFetch(...replies);
  const run = createClient({ url: '/', fetch }).follow('agent', 'a1', options);
  return { run, requests };
}

/** A storage, and how often it was written. */
function createStorage(entries: Record<string, string> = {}) {
  const map = new Map(Object.entries(entries));
  const setItem = vi.fn((key: string, value: string) => void map.set(key, value));
  return { map, getItem: (key: string) => map.get(key) ?? null, setItem };
}

const advance = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('a followed execution', () => {
  test('has the state of its events, and resolves with the final one', async () => {
    const { run } = follow([stream(OPENING, next(1), next(2), END).ends()], { mode: 'TEXT' });
    expect(run.state).toEqual(initialState('agent', 'TEXT'));
    const final = await run.ended;
    expect(final).toEqual([eventOf(1), eventOf(2), endOf(3)].reduce(reduce, initialState('agent', 'TEXT')));
    expect(final).toMatchObject({ text: '1 2 ', status: 'SUCCESS', cursor: `3-${EPOCH}` });
    expect(run.state).toBe(final);
    expect(run.connection).toEqual({ status: 'ended' });
  });

  test('notifies of every change of the state and of the connection, and keeps the identity of everything else', async () => {
    const { run } = follow([stream(next(1)).breaks(), stream(next(1), END).ends()]);
    const seen: [string, string | undefined][] = [];
    const connections: ConnectionState[] = [run.connection];
    const unsubscribe = run.subscribe(() => {
      seen.push([run.connection.status, run.state.text]);
      connections.push(run.connection);
    });
    await advance(501);
    await run.ended;
    expect(seen).toEqual([
      ['live', ''],
      ['live', '1 '],
      ['waiting', '1 '],
      ['connecting', '1 '],
      ['live', '1 '],
      ['live', '1 '],
      ['ended', '1 '],
    ]);
    expect(connections[3]).toEqual({ status: 'waiting', reason: 'terminated', retryAt: 1_000_500 });
    expect(connections[1]).toBe(connections[2]);
    unsubscribe();
  });

  test('is not rejected by the failure of the execution', async () => {
    const failure = { status: 'FAILED', message: 'no', durationMs: 1 } as const;
    const { run } = follow([stream(messageOf(eventOf(1, { type: 'error', data: failure }))).ends()]);
    expect(await run.ended).toMatchObject({ status: 'FAILED', end: failure });
  });

  test('that the server rejects has failed, without an unhandled rejection', async () => {
    const { run } = follow([problem(404, 'NOT_FOUND')]);
    await advance(0);
    expect(run.connection).toMatchObject({ status: 'failed', reason: 'no', error: { code: 'NOT_FOUND' } });
    await expect(run.ended).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('that is closed disconnects, keeps its state, and rejects `ended` with an AbortError', async () => {
    const { run, requests } = follow([stream(next(1)).stays()]);
    await advance(0);
    run.close();
    await expect(run.ended).rejects.toMatchObject({ name: 'AbortError' });
    expect(run.connection).toEqual({ status: 'ended', reason: 'closed' });
    expect(run.state.text).toBe('1 ');
    expect(requests[0]!.signal.aborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('ignores the exception of a subscriber, and reports it as an uncaught error', async () => {
    const report = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation(() => {});
    const { run } = follow([stream(next(1), END).ends()]);
    const other = vi.fn();
    run.subscribe(() => {
      throw new Error('of a subscriber');
    });
    run.subscribe(other);
    expect(await run.ended).toMatchObject({ text: '1 ' });
    expect(other).toHaveBeenCalledTimes(4);
    expect(() => report.mock.calls[0]![0]()).toThrow('of a subscriber');
  });

  test('calls a function that subscribes twice until both subscriptions have ended', async () => {
    const { run } = follow([stream(next(1), next(2), END).ends()]);
    const listener = vi.fn();
    const [first, second] = [run.subscribe(listener), run.subscribe(listener)];
    first();
    first();
    await run.ended;
    expect(listener).toHaveBeenCalledTimes(5);
    second();
  });

  test('that begins with a state continues after it', async () => {
    const initial = [eventOf(1), eventOf(2)].reduce(reduce, initialState('agent'));
    const { run, requests } = follow([stream(next(2), END).ends()], { initial });
    expect(run.state).toBe(initial);
    expect(await run.ended).toMatchObject({ text: '1 2 ', status: 'SUCCESS' });
    expect(requests[0]!.headers.get('last-event-id')).toBe(`2-${EPOCH}`);
  });
});

describe('a storage', () => {
  test('gets the state within a second, and once for many events', async () => {
    const storage = createStorage();
    const { run } = follow([stream(next(1), next(2)).stays()], { storage });
    await advance(999);
    expect(storage.setItem).not.toHaveBeenCalled();
    await advance(1);
    expect(storage.setItem).toHaveBeenCalledTimes(1);
    expect(JSON.parse(storage.map.get(KEY)!)).toEqual(run.state);
    run.close();
  });

  test.each(['hidden', 'pagehide'] as const)('gets the state at `%s`', async (event) => {
    using page = pageForTest();
    const storage = createStorage();
    const { run } = follow([stream(next(1)).stays()], { storage });
    await advance(10);
    page.fire(event);
    expect(JSON.parse(storage.map.get(KEY)!)).toEqual(run.state);
    run.close();
    await run.ended.catch(() => {});
    expect(page.listeners).toBe(0);
  });

  test('gets the final state, and that of a store that is closed', async () => {
    const storage = createStorage();
    const { run } = follow([stream(next(1), END).ends()], { storage });
    await run.ended;
    expect(JSON.parse(storage.map.get(KEY)!)).toMatchObject({ status: 'SUCCESS' });
    const closed = createStorage();
    const other = follow([stream(next(1)).stays()], { storage: closed });
    await advance(10);
    other.run.close();
    await other.run.ended.catch(() => {});
    expect(JSON.parse(closed.map.get(KEY)!)).toMatchObject({ text: '1 ' });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('gives the state to a page that is loaded again, which continues after it', async () => {
    const state = [eventOf(1), eventOf(2)].reduce(reduce, initialState('agent'));
    const storage = createStorage({ [KEY]: JSON.stringify(state) });
    const { run, requests } = follow([stream(next(2), END).ends()], { storage });
    expect(run.state).toEqual(state);
    expect(await run.ended).toMatchObject({ text: '1 2 ', status: 'SUCCESS' });
    expect(requests[0]!.headers.get('last-event-id')).toBe(`2-${EPOCH}`);
  });

  test('with a state that has more events of the same log takes precedence over an initial state', async () => {
    const stateAfter = (count: number, epoch = EPOCH) =>
      Array.from({ length: count }, (_, i) => eventOf(i + 1, undefined, epoch)).reduce(
        reduce,
        initialState('agent'),
      );
    const cursorOf = (stored: ExecutionState, initial: ExecutionState) => {
      const { run } = follow(['hang'], {
        storage: createStorage({ [KEY]: JSON.stringify(stored) }),
        initial,
      });
      run.close();
      return run.state.cursor;
    };
    expect(cursorOf(stateAfter(2), stateAfter(1))).toBe(`2-${EPOCH}`);
    expect(cursorOf(stateAfter(1), stateAfter(2))).toBe(`2-${EPOCH}`);
    expect(cursorOf(stateAfter(2), stateAfter(0))).toBe(`2-${EPOCH}`);
    expect(cursorOf(stateAfter(2), stateAfter(1, 'k3f9ab02zz'))).toBe('1-k3f9ab02zz');
  });

  test.each([
    ['null'],
    ['{'],
    ['"text"'],
    ['{"kind":"agent"}'],
    [JSON.stringify(initialState('task'))],
    [JSON.stringify({ ...initialState('agent'), cursor: 7 })],
  ])('with an entry that is not a state (%s) is ignored', async (entry) => {
    const { run, requests } = follow([stream(next(1), END).ends()], {
      storage: createStorage({ [KEY]: entry }),
    });
    expect(run.state).toEqual(initialState('agent'));
    expect(await run.ended).toMatchObject({ text: '1 ' });
    expect(requests[0]!.headers.get('last-event-id')).toBeNull();
  });

  test('that throws is ignored', async () => {
    const fail = () => {
      throw new Error('QuotaExceededError');
    };
    const { run } = follow([stream(next(1), END).ends()], { storage: { getItem: fail, setItem: fail } });
    expect(await run.ended).toMatchObject({ text: '1 ' });
  });
});
