// The work that one operation may cause: batched reads, limits of its result, a timeout, a client that disconnects, and
// fairness between callers.
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Caller } from '../../src/execution/permission.ts';
import type { ExecutionStore } from '../../src/execution/store.ts';
import type { QueryLimits } from '../../src/graphql/query-limits.ts';
import { DEFAULT_SERVER_LIMITS } from '../../src/server/limits.ts';
import { type App, createApp, graphqlPath, settled, startApp } from '../support/app.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { until } from '../support/wait.ts';

/** A memory store that records reads, and delays them while they are held. */
function createRecordedStore() {
  const store = createMemoryStore();
  const reads: string[] = [];
  let release: (() => void) | undefined;
  let held: Promise<void> | undefined;
  for (const method of ['get', 'list', 'getMany', 'childrenOf', 'contents'] as const) {
    const read = store[method] as (...args: unknown[]) => Promise<unknown>;
    Object.assign(store, {
      [method]: async (...args: unknown[]) => {
        reads.push(method);
        await held;
        return read(...args);
      },
    });
  }
  const hold = () => {
    held = new Promise((resolve) => {
      release = resolve;
    });
  };
  return { store: store as ExecutionStore, reads, hold, release: () => release?.() };
}

let app: App | undefined;
afterEach(async () => {
  vi.useRealTimers();
  await app?.close();
});

const ANN: Caller = { id: 'ann', tenant: 'acme' };

async function start(query: Partial<QueryLimits> = {}) {
  const recorded = createRecordedStore();
  app = createApp({
    store: recorded.store,
    serverLimits: { ...DEFAULT_SERVER_LIMITS, query: { ...DEFAULT_SERVER_LIMITS.query, ...query } },
  });
  return recorded;
}

async function ask(query: string, { caller = ANN, signal }: { caller?: Caller; signal?: AbortSignal } = {}) {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
    ...(signal && { signal }),
  };
  const response = await app!.request('/graphql', init, caller);
  const headers = response.headers;
  return { status: response.status, headers, ...(await response.json()) };
}

/** A workflow of Ann's tenant, or of none, with children that have an input each. */
async function family(store: ExecutionStore, children: number, input = 'x', tenant = ANN.tenant) {
  const of = tenant ? { tenant } : {};
  await store.begin({ id: 'w', kind: 'workflow', mode: 'STRUCTURED', ...of });
  for (let i = 0; i < children; i += 1) {
    await store.begin({ id: `c${i}`, kind: 'task', mode: 'TEXT', ...of, parentId: 'w', input });
  }
}

const children = (inner: string, first = 20) => `children(first: ${first}) { edges { node { ${inner} } } }`;
const tree = (inner: string) => `{ execution(kind: WORKFLOW, id: "w") { ${inner} } }`;

describe('reads of an operation', () => {
  test('a tree of 30 children with their parents and children takes one read for each level', async () => {
    const { store, reads } = await start();
    await family(store, 30);
    const { data, errors } = await ask(tree(children(`id parent { id } ${children('id')}`, 30)));
    expect(errors).toBeUndefined();
    expect(data.execution.children.edges).toHaveLength(30);
    expect(reads).toEqual(['getMany', 'childrenOf', 'childrenOf']);
  });

  test('lists read large fields only if they are selected, in one read for each field', async () => {
    const { store, reads } = await start();
    await family(store, 10);
    await ask('{ executions { edges { node { id status usage { totalTokens } } } } }');
    expect(reads).toEqual(['list']);
    const { data } = await ask('{ executions(first: 10) { edges { node { id input result } } } }');
    const nodes = data.executions.edges.map(({ node }: { node: object }) => node);
    expect(nodes).toContainEqual({ id: 'c9', input: 'x', result: null });
    expect(reads).toEqual(['list', 'list', 'contents', 'contents']);
  });

  test('a caller limited to a prefix reads one page, however many executions are hidden', async () => {
    const { store, reads } = await start();
    await store.begin({ id: 'mine-1', kind: 'task', mode: 'TEXT', tenant: 'acme' });
    await family(store, 500);
    const { data } = await ask('{ executions { edges { node { id } } pageInfo { hasNextPage } } }', {
      caller: { ...ANN, executions: ['mine-*', 'nope'] },
    });
    expect(data.executions).toEqual({
      edges: [{ node: { id: 'mine-1' } }],
      pageInfo: { hasNextPage: false },
    });
    expect(reads).toEqual(['list']);
  });

  test('a stream token for 100 executions is checked with one read', async () => {
    const { store, reads } = await start();
    await family(store, 99);
    const ids = ['w', ...Array.from({ length: 99 }, (_, i) => `c${i}`)];
    const { errors } = await ask(
      `mutation { createStreamToken(executions: ${JSON.stringify(ids)}) { token } }`,
    );
    expect(errors).toBeUndefined();
    expect(reads).toEqual(['getMany']);
  });
});

describe('limits of an operation', () => {
  test('an operation whose result exceeds the limit of executions fails entirely', async () => {
    const { store } = await start({ executions: 50 });
    await family(store, 30);
    expect((await ask(tree(children('id', 30)))).errors).toBeUndefined();
    const { status, data, errors } = await ask(tree(children('parent { id }', 30)));
    expect({ status, data }).toEqual({ status: 200, data: null });
    expect(errors).toEqual([
      {
        message: 'the result exceeds 50 executions; request smaller pages or fewer levels',
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ]);
  });

  test('an operation whose result exceeds the limit of bytes fails, and the excess is not read', async () => {
    const { store } = await start({ contentBytes: 10_000 });
    await family(store, 30, 'x'.repeat(998));
    expect((await ask(tree(children('input', 10)))).errors).toBeUndefined();
    const { data, errors } = await ask(tree(children('input', 11)));
    expect(data).toBeNull();
    expect(errors).toEqual([
      {
        message: expect.stringMatching(/^the result exceeds 10000 bytes of input, result and error/),
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ]);
  });

  test('a value counts each time that it appears in the result', async () => {
    const { store } = await start({ contentBytes: 10_000 });
    await store.begin({ id: 'w', kind: 'workflow', mode: 'STRUCTURED', input: 'x'.repeat(998) });
    for (let i = 0; i < 11; i += 1)
      await store.begin({ id: `c${i}`, kind: 'task', mode: 'TEXT', parentId: 'w' });
    expect((await ask(tree(children('parent { input }', 10)))).errors).toBeUndefined();
    expect((await ask(tree(children('parent { input }', 11)))).errors).toHaveLength(1);
  });

  test('the fields of a single execution are returned regardless of their size, each once', async () => {
    const { store } = await start({ contentBytes: 10_000 });
    const large = 'x'.repeat(50_000);
    await store.begin({ id: 'w', kind: 'workflow', mode: 'STRUCTURED', input: large });
    await store.finish('w', 1, { status: 'SUCCESS', result: large });
    const { data } = await ask(tree('input result'));
    expect(data.execution).toEqual({ input: large, result: large });
    expect((await ask(tree('input again: input'))).errors[0].extensions.code).toBe('BAD_USER_INPUT');
  });

  test('an operation that takes too long is aborted with 503 and Retry-After', async () => {
    const { hold, reads } = await start({ timeoutMs: 5_000 });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    hold();
    const late = ask(tree(children('id')));
    await settled();
    vi.advanceTimersByTime(5_000);
    const { status, headers, data, errors } = await late;
    expect({ status, data }).toEqual({ status: 503, data: null });
    expect(headers.get('retry-after')).toBe('5');
    expect(errors).toEqual([
      {
        message: 'the operation was aborted: it took longer than 5000 ms',
        extensions: { code: 'SOURCE_UNAVAILABLE' },
      },
    ]);
    expect(reads).toEqual(['getMany']);
  });

  test('an operation reads nothing more once its client has disconnected', async () => {
    const { store, hold, release, reads } = await start();
    await family(store, 3);
    hold();
    const left = new AbortController();
    const pending = ask(tree(children('id')), { signal: left.signal }).catch(() => {});
    await settled();
    left.abort();
    release();
    await pending;
    await settled();
    expect(reads).toEqual(['getMany']);
  });

  test('a client that closes its connection ends the reads of its operation', async () => {
    const { store, hold, release, reads } = createRecordedStore();
    await family(store, 3, 'x', '');
    await using listening = await startApp({ store });
    hold();
    const left = new AbortController();
    const { signal } = left;
    const url = `${listening.url}${graphqlPath(`{ a: ${tree(children('id')).slice(1, -1)} }`)}`;
    const pending = fetch(url, { signal }).catch(() => {});
    await until(() => reads.length === 1, { what: 'the first read' });
    left.abort();
    await pending;
    // The server has detected the closed connection once it has answered a later request.
    await (await fetch(`${listening.url}/health/live`)).text();
    await settled();
    release();
    await settled();
    expect(reads).toEqual(['getMany']);
  });

  test('an unavailable store is a single error, not one per field', async () => {
    const { store } = await start();
    await family(store, 30);
    Object.assign(store, { childrenOf: createUnavailable(), contents: createUnavailable() });
    const { status, errors } = await ask(tree(`a: ${children('id')} b: ${children('id', 3)} input`));
    expect(status).toBe(503);
    expect(errors).toHaveLength(1);
  });
});

/** A method of an unavailable store. */
function createUnavailable() {
  const away = createMemoryStore();
  away.isAway = true;
  return () => away.ping();
}

describe('fairness between callers', () => {
  test('a caller has two concurrent reads, and another caller reads although the first has many waiting', async () => {
    const { hold, release, reads } = await start({ reads: 3, readsPerCaller: 2 });
    hold();
    const list = '{ executions { edges { node { id } } } }';
    const many = Array.from({ length: 50 }, () => ask(list));
    await settled();
    expect(reads).toHaveLength(2);
    const other = ask(list, { caller: { id: 'bob', tenant: 'globex' } });
    await settled();
    expect(reads).toHaveLength(3);
    release();
    expect((await other).errors).toBeUndefined();
    for (const { errors } of await Promise.all(many)) expect(errors).toBeUndefined();
  });

  test('a caller has four concurrent operations, and one that waits too long fails without a read', async () => {
    const { hold, release, reads } = await start({ reads: 9, readsPerCaller: 9, timeoutMs: 5_000 });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    hold();
    const many = Array.from({ length: 10 }, () => ask(tree('id')));
    await settled();
    expect(reads).toHaveLength(4);
    vi.advanceTimersByTime(5_000);
    for (const { status } of await Promise.all(many)) expect(status).toBe(503);
    release();
    await settled();
    expect(reads).toHaveLength(4);
    vi.useRealTimers();
    expect((await ask(tree('id'))).errors).toBeUndefined();
  });

  test('publishing and streams do not wait for the reads of queries', async () => {
    const { store, hold, release } = await start({ reads: 1, readsPerCaller: 1 });
    await store.begin({ id: 'a1', kind: 'agent', mode: 'TEXT' });
    hold();
    const waiting = [ask('{ executions { edges { node { id } } } }'), ask(tree('id'))];
    await settled();
    expect(await store.setStatus('a1', 1, 'PAUSED')).toBe(true);
    release();
    await Promise.all(waiting);
  });
});
