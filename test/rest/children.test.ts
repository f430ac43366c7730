// Executions with more children than one page: a count, and pages up to the last one, in REST and GraphQL.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { allowTenant } from '../../src/execution/permission.ts';
import { type App, createApp } from '../support/app.ts';

const CHILDREN = 1_050;
const ids = Array.from({ length: CHILDREN }, (_, i) => `child-${String(i).padStart(4, '0')}`);

let app: App;
beforeEach(async () => {
  app = createApp();
  await begin(app);
});
afterEach(() => app.close());

async function begin({ store }: App): Promise<void> {
  await store.begin({ id: 'w', kind: 'workflow', mode: 'STRUCTURED' });
  for (const id of ids) await store.begin({ id, kind: 'task', mode: 'TEXT', parentId: 'w' });
}

interface State {
  readonly children: readonly string[];
  readonly childrenCursor: string | null;
  readonly childrenCount: number | null;
}

async function state(query = '', of = app): Promise<State> {
  const response = await of.request(`/api/v0/executions/workflows/w${query}`);
  expect(response.status).toBe(200);
  return (await response.json()) as State;
}

test('REST returns the number of children, and all of them in pages', async () => {
  const first = await state();
  expect(first).toMatchObject({ children: ids.slice(0, 100), childrenCount: CHILDREN });
  const children = [...first.children];
  for (let { childrenCursor } = first; childrenCursor !== null; ) {
    const page = await state(`?children_after=${childrenCursor}`);
    expect(page.childrenCount).toBe(CHILDREN);
    children.push(...page.children);
    childrenCursor = page.childrenCursor;
  }
  expect(children).toEqual(ids);
});

test('children_first is the size of a page', async () => {
  const { children, childrenCursor } = await state('?children_first=2');
  expect(children).toEqual(ids.slice(0, 2));
  const next = await state(`?children_first=3&children_after=${childrenCursor}`);
  expect(next.children).toEqual(ids.slice(2, 5));
  expect(await state('?children_first=&children_after=')).toMatchObject({ children: ids.slice(0, 100) });
});

test.each([
  ['children_first=0', 'children_first: expected 1 to 100, got "0"'],
  ['children_first=101', 'children_first: expected 1 to 100, got "101"'],
  ['children_first=x', 'children_first: expected 1 to 100, got "x"'],
  ['children_after=x', 'children_after: expected the `childrenCursor` of a state'],
  ['children_first=1&children_first=2', expect.stringContaining('children_first')],
])('the parameter %s is 400, and is named', async (query, detail) => {
  const response = await app.request(`/api/v0/executions/workflows/w?${query}`);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code: 'BAD_USER_INPUT', detail });
});

test('GraphQL counts the children of several executions with one read', async () => {
  const { store } = app;
  let reads = 0;
  const { countChildren } = store;
  store.countChildren = async (...args) => {
    reads += 1;
    return countChildren!(...args);
  };
  const query = `{ w: execution(kind: WORKFLOW, id: "w") { childrenCount }
    c: execution(kind: TASK, id: "child-0000") { childrenCount parent { childrenCount } } }`;
  const response = await app.request(`/graphql?query=${encodeURIComponent(query)}`);
  expect(await response.json()).toEqual({
    data: { w: { childrenCount: CHILDREN }, c: { childrenCount: 0, parent: { childrenCount: CHILDREN } } },
  });
  expect(reads).toBeLessThanOrEqual(2);
});

test('the count is null if a policy decides which children are readable, or the store does not count', async () => {
  await using policed = createApp({ store: app.store, authorize: (caller, row) => allowTenant(caller, row) });
  expect(await state('', policed)).toMatchObject({ childrenCount: null, childrenCursor: expect.any(String) });
  const { countChildren: _, ...store } = app.store;
  await using uncounted = createApp({ store });
  expect(await state('', uncounted)).toMatchObject({ childrenCount: null });
});
