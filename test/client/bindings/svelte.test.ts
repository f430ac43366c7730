// The Svelte stores under Svelte's contract, with its own functions and on a server.
import { derived, fromStore, get } from 'svelte/store';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createClient, initialState, reduce } from '../../../src/client/index.ts';
import { executionListStore, executionStore } from '../../../src/client/svelte.ts';
import { eventOf, next, OPENING, problem, type Reply, scriptedFetch, stream } from '../scripted-fetch.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const advance = (ms: number) => vi.advanceTimersByTimeAsync(ms);

function server(...replies: Reply[]) {
  const { fetch, requests } = scriptedFetch(...replies);
  return { client: createClient({ url: '/', fetch }), requests };
}

describe('a Svelte store', () => {
  test('of an execution is readable, with one connection for all subscriptions', async () => {
    vi.stubGlobal('document', new EventTarget());
    const { client, requests } = server(stream(OPENING, next(1)).stays());
    const store = executionStore(client, 'agent', 'a1');
    const texts: (string | undefined)[] = [];
    const leave = store.subscribe(({ state }) => texts.push(state.text));
    const statuses: string[] = [];
    const leaveDerived = derived(store, ({ connection }) => connection.status).subscribe((status) =>
      statuses.push(status),
    );
    await advance(110);
    expect([texts, statuses]).toEqual([
      ['', '1 '],
      ['connecting', 'live'],
    ]);
    expect(get(store).state.text).toBe('1 ');
    leave();
    leaveDerived();
    await advance(1);
    expect(requests.map(({ signal }) => signal.aborted)).toEqual([true]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('of a list, of no list and of no execution have their states, and an error is tried again on request', async () => {
    vi.stubGlobal('document', new EventTarget());
    const page = () => Response.json({ data: { executions: { edges: [] } } });
    const { client, requests } = server(problem(403, 'FORBIDDEN'), page);
    expect(get(executionStore(client, 'agent', undefined)).connection).toEqual({ status: 'idle' });
    expect(get(executionListStore(client, null)).connection).toEqual({ status: 'idle' });
    const store = executionListStore(client, { kind: 'agent' });
    const leave = store.subscribe(() => {});
    await advance(110);
    expect(get(store).error).toMatchObject({ code: 'FORBIDDEN' });
    store.retry();
    await advance(110);
    expect(get(store)).toMatchObject({ state: [], connection: { status: 'live' }, error: undefined });
    expect(requests).toHaveLength(2);
    leave();
  });

  test('has the initial state on a server, and does not connect', async () => {
    const initial = reduce(initialState('agent'), eventOf(1));
    const { client, requests } = server('hang');
    const store = executionStore(client, 'agent', 'a1', { initial });
    const { current } = fromStore(store);
    expect(current).toEqual({ state: initial, connection: { status: 'connecting' }, error: undefined });
    const leave = store.subscribe(() => {});
    await advance(1_000);
    expect(requests).toEqual([]);
    leave();
  });
});
