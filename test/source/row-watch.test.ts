// The row watch: rows of published executions that are deleted or inserted again while they have viewers.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createEndReconciler } from '../../src/source/end-reconciler.ts';
import { createRowWatch } from '../../src/source/row-watch.ts';
import { chunk, directLog } from '../support/app.ts';
import { content } from '../support/content.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { audience } from './audience.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

async function setUp() {
  const [log, store] = [createMemoryLog(), createMemoryStore()];
  const published = await directLog({ log, store });
  await published.append(chunk('first'));
  const { incarnation } = (await store.get('a1'))!;
  await log.open('a1', { numbering: 'auto', publisher: 'direct', attempt: 1, incarnation: incarnation! });
  const viewers = { ...audience(), incarnation };
  const stop = createRowWatch({ log, store, ...createEndReconciler({ log, store, content }) })('a1', viewers);
  const types = async () => (await log.read('a1', 0, 10))!.events.map(({ type }) => type);
  const remove = async () => store.undoBegin((await store.get('a1'))!, undefined);
  return { log, store, stop, types, remove };
}

test('a published execution whose row was deleted ends once, as TERMINATED with the code DELETED', async () => {
  const { log, types, remove, stop } = await setUp();
  await remove();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await types()).toEqual(['llm_chunk']);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await types()).toEqual(['llm_chunk', 'error']);
  const { events } = (await log.read('a1', 1, 1))!;
  expect(events[0]!.data).toMatchObject({ status: 'TERMINATED', code: 'DELETED' });
  await vi.advanceTimersByTimeAsync(30_000);
  expect(await types()).toEqual(['llm_chunk', 'error']);
  stop();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(vi.getTimerCount()).toBe(1);
});

test('a row that is inserted again while it is watched replaces the log, and does not end it', async () => {
  const { log, store, types, remove } = await setUp();
  await remove();
  await vi.advanceTimersByTimeAsync(11_000);
  const { incarnation } = await store.begin({ id: 'a1', kind: 'agent', mode: 'TEXT' });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await types()).toEqual(['reset']);
  expect(await log.head('a1')).toMatchObject({ incarnation, end: 0, hasPublisher: false });
});

test('a log that a source numbers is not ended by a deleted row', async () => {
  const [log, store] = [createMemoryLog(), createMemoryStore()];
  await log.open('w', { numbering: 'fixed', attempt: 1 });
  await createEndReconciler({ log, store, content }).endDeleted('w');
  expect(await log.head('w')).toMatchObject({ head: 0, end: 0 });
});
