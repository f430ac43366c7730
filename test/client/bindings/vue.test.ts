// The Vue composables in a scope, in a component and on a server.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  createRenderer,
  createSSRApp,
  defineComponent,
  effectScope,
  h,
  nextTick,
  type RendererOptions,
  ref,
} from 'vue';
import { renderToString } from 'vue/server-renderer';
import { createClient, initialState, reduce } from '../../../src/client/index.ts';
import { useExecution, useExecutions } from '../../../src/client/vue.ts';
import {
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

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const advance = (ms: number) => vi.advanceTimersByTimeAsync(ms);

function server(...replies: Reply[]) {
  const { fetch, requests } = scriptedFetch(...replies);
  return { client: createClient({ url: '/', fetch }), requests };
}

/** Renders components to nothing. */
const ignore = () => {};
const NODES: RendererOptions<object, object> = {
  insert: ignore,
  remove: ignore,
  createElement: () => ({}),
  createText: () => ({}),
  createComment: () => ({}),
  setText: ignore,
  setElementText: ignore,
  parentNode: () => ({}),
  nextSibling: () => null,
  patchProp: ignore,
};

describe('useExecution of Vue', () => {
  test('follows an execution until its scope is stopped', async () => {
    const { client, requests } = server(stream(OPENING, next(1)).stays());
    const scope = effectScope();
    const { state, connection, error } = scope.run(() => useExecution(client, 'agent', 'a1'))!;
    expect([state.value, connection.value.status, error.value]).toEqual([
      initialState('agent'),
      'connecting',
      undefined,
    ]);
    await advance(20);
    expect([state.value.text, connection.value.status]).toEqual(['1 ', 'live']);
    scope.stop();
    await advance(1);
    expect(requests[0]!.signal.aborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('follows another execution when its id changes, and none without one', async () => {
    const { client, requests } = server(stream(OPENING, next(1)).stays(), stream(OPENING, next(2)).stays());
    const id = ref<string | null>(null);
    const scope = effectScope();
    const { state, connection } = scope.run(() => useExecution(client, 'agent', id))!;
    await advance(20);
    expect([connection.value.status, requests.length]).toEqual(['idle', 0]);
    id.value = 'a1';
    await advance(20);
    expect(state.value.text).toBe('1 ');
    id.value = 'a2';
    await nextTick();
    expect([state.value.text, connection.value.status]).toEqual(['', 'connecting']);
    await advance(20);
    expect(state.value.text).toBe('2 ');
    expect(requests.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    scope.stop();
  });

  test('has the error of a rejection, and connects again on request', async () => {
    const { client } = server(problem(404, 'NOT_FOUND'), stream(OPENING, messageOf(endOf(1))).ends());
    const scope = effectScope();
    const { state, error, retry } = scope.run(() => useExecution(client, 'agent', 'a1'))!;
    await advance(20);
    expect(error.value).toMatchObject({ code: 'NOT_FOUND' });
    retry();
    await advance(20);
    expect([state.value.status, error.value]).toEqual(['SUCCESS', undefined]);
    scope.stop();
  });

  test('renders a component once it is mounted, and disconnects when it is unmounted', async () => {
    const { client, requests } = server(stream(OPENING, next(1)).stays());
    const rendered: (string | undefined)[] = [];
    const Agent = defineComponent(() => {
      const { state } = useExecution(client, 'agent', () => 'a1');
      return () => {
        rendered.push(state.value.text);
        return h('pre', state.value.text);
      };
    });
    const app = createRenderer(NODES).createApp(Agent);
    app.mount({});
    await advance(20);
    expect(rendered).toEqual(['', '1 ']);
    app.unmount();
    await advance(1);
    expect(requests.map(({ signal }) => signal.aborted)).toEqual([true]);
  });

  test('renders the initial state on a server, and does not connect', async () => {
    const initial = reduce(initialState('agent'), eventOf(1));
    const { client, requests } = server('hang');
    const Page = defineComponent(() => {
      const { state, connection } = useExecution(client, 'agent', 'a1', { initial });
      return () => h('pre', `${state.value.text}${connection.value.status}`);
    });
    expect(await renderToString(createSSRApp(Page))).toBe('<pre>1 connecting</pre>');
    await advance(1_000);
    expect(requests).toEqual([]);
  });
});

test('useExecutions of Vue has the list of its filter', async () => {
  const node = { id: 'a1', kind: 'AGENT', status: 'RUNNING', parent: null };
  const { client, requests } = server(() => Response.json({ data: { executions: { edges: [{ node }] } } }));
  const filter = ref<{ first: number } | null>({ first: 1 });
  const scope = effectScope();
  const { state, connection } = scope.run(() => useExecutions(client, filter, { pollMs: 60_000 }))!;
  await advance(20);
  expect(state.value.map(({ id }) => id)).toEqual(['a1']);
  filter.value = { first: 2 };
  await advance(20);
  expect(requests).toHaveLength(2);
  filter.value = null;
  await advance(20);
  expect(connection.value.status).toBe('idle');
  scope.stop();
});
