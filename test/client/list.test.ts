// `client.list`: a page of executions by polling, with the shape of every store.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  createClient,
  type ListedExecution,
  type ListFilter,
  type ListOptions,
} from '../../src/client/index.ts';
import { pageForTest } from './page.ts';
import { each, problem, type Reply, scriptedFetch } from './scripted-fetch.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const row = (id: string, status = 'RUNNING') => ({
  id,
  kind: 'AGENT',
  status,
  name: 'writer',
  attempt: 1,
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: null,
  parent: id === 'a1' ? { id: 'w1' } : null,
});

const page = (...rows: object[]): Reply =>
  each(() => Response.json({ data: { executions: { edges: rows.map((node) => ({ node })) } } }));

function list(replies: Reply[], filter?: ListFilter, options?: ListOptions) {
  const { fetch, requests } = scriptedFetch(...replies);
  return { store: createClient({ url: '/', fetch }).list(filter, options), requests };
}

const advance = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const ids = (state: readonly ListedExecution[]) => state.map(({ id }) => id);

describe('a list', () => {
  test('has the executions that match its filter, polled every 2 s', async () => {
    const { store, requests } = list([page(row('a2'), row('a1')), page(row('a3'), row('a2', 'SUCCESS'))], {
      kind: 'agent',
      status: 'RUNNING',
      first: 5,
    });
    expect([store.state, store.connection.status]).toEqual([[], 'connecting']);
    await advance(0);
    const { url } = requests[0]!;
    expect(JSON.parse(url.searchParams.get('variables')!)).toEqual({
      kind: 'AGENT',
      status: 'RUNNING',
      first: 5,
    });
    expect(store.connection).toEqual({ status: 'live' });
    const { parent, ...rest } = row('a1');
    expect(store.state[1]).toEqual({ ...rest, kind: 'agent', parentId: parent!.id });
    expect(store.state[0]!.parentId).toBeNull();
    await advance(1_999);
    expect(requests).toHaveLength(1);
    await advance(1);
    expect(ids(store.state)).toEqual(['a3', 'a2']);
    store.close();
    await advance(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('notifies of changes only, and keeps the identity of unchanged rows', async () => {
    const { store } = list([
      page(row('a2'), row('a1')),
      page(row('a2'), row('a1')),
      page(row('a2', 'SUCCESS'), row('a1')),
    ]);
    await advance(0);
    const before = store.state;
    const listener = vi.fn();
    store.subscribe(listener);
    await advance(2_000);
    expect(store.state).toBe(before);
    expect(listener).not.toHaveBeenCalled();
    await advance(2_000);
    expect(listener).toHaveBeenCalledTimes(1);
    expect(store.state[0]!.status).toBe('SUCCESS');
    expect(store.state[1]).toBe(before[1]);
    store.close();
  });

  test('that becomes shorter, or is in another order, changes', async () => {
    const { store } = list([page(row('a2'), row('a1')), page(row('a2')), page(row('a1'), row('a2'))]);
    await advance(0);
    await advance(2_000);
    expect(ids(store.state)).toEqual(['a2']);
    await advance(2_000);
    expect(ids(store.state)).toEqual(['a1', 'a2']);
    store.close();
  });

  test('waits after a temporary error, keeps its rows, and continues', async () => {
    const { store, requests } = list([
      page(row('a1')),
      problem(503, 'CAPACITY', { 'retry-after': '3' }),
      page(row('a2')),
    ]);
    await advance(2_000);
    expect(store.connection).toMatchObject({ status: 'waiting', retryAt: 1_005_500 });
    expect(ids(store.state)).toEqual(['a1']);
    await advance(3_500);
    expect(ids(store.state)).toEqual(['a2']);
    expect(requests).toHaveLength(3);
    store.close();
  });

  test('fails after a permanent error, in the status or in the result', async () => {
    const { store } = list([problem(403, 'FORBIDDEN')]);
    await advance(0);
    expect(store.connection).toMatchObject({ status: 'failed', error: { code: 'FORBIDDEN' } });
    const errors = [{ message: 'first: expected 1 to 100', extensions: { code: 'BAD_USER_INPUT' } }];
    const other = list([Response.json({ data: null, errors })]);
    await advance(0);
    expect(other.store.connection).toMatchObject({ status: 'failed', reason: 'first: expected 1 to 100' });
  });

  test('is polled immediately when the page is used again, and not while it is hidden', async () => {
    using browserPage = pageForTest();
    const { store, requests } = list([page(row('a1'))], {}, { pollMs: 60_000 });
    await advance(10);
    browserPage.fire('online');
    await advance(0);
    expect(requests).toHaveLength(2);
    browserPage.fire('hidden');
    await advance(600_000);
    expect(requests).toHaveLength(2);
    browserPage.fire('visible');
    await advance(0);
    expect(requests).toHaveLength(3);
    store.close();
    await advance(0);
    expect(browserPage.listeners).toBe(0);
  });

  test('that is closed during a request stays as it is', async () => {
    const { store, requests } = list(['hang']);
    await advance(10);
    store.close();
    await advance(0);
    expect(requests[0]!.signal.aborted).toBe(true);
    expect([store.state, store.connection]).toEqual([[], { status: 'ended', reason: 'closed' }]);
  });
});
