// Lists under a custom policy, which hides executions after they were read: how far a page is filled.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type App, createApp } from '../support/app.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';

let app: App;
let store: MemoryStore;
let pages: number;
let isReadable: (id: string) => boolean;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_700_000_000_000 });
  store = createMemoryStore();
  pages = 0;
  const { list } = store;
  store.list = (query) => {
    pages += 1;
    return list(query);
  };
  app = createApp({ store, authorize: (_, { id }) => ({ read: isReadable(id) ? 'granted' : 'hidden' }) });
});
afterEach(async () => {
  vi.useRealTimers();
  await app.close();
});

async function begin(count: number, prefix: string, tickMs = 1) {
  for (let i = 0; i < count; i += 1) {
    vi.setSystemTime(Date.now() + tickMs);
    await store.begin({ id: `${prefix}${i}`, kind: 'task', mode: 'TEXT' });
  }
}

async function page(after?: string, first = 20) {
  const query =
    'query ($first: Int, $after: String) { executions(first: $first, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } } }';
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { first, after } }),
  };
  const { data, errors } = (await (await app.request('/graphql', init)).json()) as {
    // biome-ignore lint/suspicious/noExplicitAny: the shape is the test's to assert
    data: any;
    errors?: { message: string; extensions: { code: string } }[];
  };
  if (errors) throw new Error(`${errors[0]!.extensions.code}: ${errors[0]!.message}`);
  const { edges, pageInfo } = data.executions;
  return { ids: edges.map((edge: { node: { id: string } }) => edge.node.id) as string[], ...pageInfo };
}

test('a page that a policy empties ends after ten reads, and continues without revealing a hidden id', async () => {
  await begin(3, 'old-');
  await begin(2_500, 'hidden-');
  await begin(2, 'new-');
  isReadable = (id) => !id.startsWith('hidden-');
  const first = await page();
  expect(first).toMatchObject({ ids: ['new-1', 'new-0'], hasNextPage: true });
  expect(pages).toBe(10);
  expect(Buffer.from(first.endCursor, 'base64url').toString()).toMatch(/^\d+:$/);

  const ids = [...first.ids];
  for (let at = first; at.hasNextPage; ) {
    at = await page(at.endCursor);
    ids.push(...at.ids);
  }
  expect(ids).toEqual(['new-1', 'new-0', 'old-2', 'old-1', 'old-0']);
});

test('pages that end early neither repeat nor omit an execution, even among equal times', async () => {
  for (let i = 0; i < 300; i += 1) {
    vi.setSystemTime(Date.now() + 1);
    await begin(7, `e${i}-`, 0);
  }
  isReadable = (id) => /[05]-3$/.test(id);
  const expected = Array.from({ length: 300 }, (_, i) => `e${299 - i}-3`).filter(isReadable);
  const ids: string[] = [];
  let after: string | undefined;
  for (;;) {
    const at = await page(after, 100);
    ids.push(...at.ids);
    if (!at.hasNextPage) break;
    after = at.endCursor;
  }
  expect(ids).toEqual(expected);
});

test('a thousand hidden executions of one millisecond are an error that states a way out', async () => {
  await begin(2_500, 'hidden-', 0);
  isReadable = () => false;
  await expect(page()).rejects.toThrow(
    /^BAD_USER_INPUT: more than \d+ consecutive executions are not readable by you; narrow the list/,
  );
});

test('a page of readable executions takes one read', async () => {
  await begin(50, 'e');
  isReadable = () => true;
  expect(await page()).toMatchObject({ hasNextPage: true, ids: { length: 20 } });
  expect(pages).toBe(1);
});
