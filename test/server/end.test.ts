// The end of an execution reaches viewers even if its publisher died or its log is gone (PROTOCOL.md, "Reconnecting").
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { NewEvent } from '../../src/event/events.ts';
import type { Execution } from '../../src/execution/store.ts';
import { DEFAULT_BOUNDS } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createEndReconciler } from '../../src/source/end-reconciler.ts';
import { createRowWatch } from '../../src/source/row-watch.ts';
import { audience } from '../source/audience.ts';
import {
  type App,
  chunk,
  chunks,
  collect,
  createApp,
  directLog,
  EVENT_STREAM,
  graphqlPath,
  settled,
  TS,
} from '../support/app.ts';
import { content } from '../support/content.ts';
import { createMemoryStore } from '../support/memory-store.ts';

const PATH = '/api/v0/executions/agents/a1/stream';
let app: App;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
});
afterEach(async () => {
  vi.useRealTimers();
  await app?.close();
});

const get = (path = PATH, lastEventId?: string) =>
  app.request(path, { headers: { ...EVENT_STREAM, ...(lastEventId && { 'last-event-id': lastEventId }) } });

describe('a final row whose log has no terminal event', () => {
  test('a watched execution gets its terminal event although its publisher died', async () => {
    app = createApp();
    const log = await directLog(app);
    await log.append(chunk('a'));
    const bodies = [
      collect(await get()),
      collect(
        await app.request(graphqlPath('subscription { agentStream(id: "a1") { type } }'), {
          headers: EVENT_STREAM,
        }),
      ),
    ];
    await app.store.finish('a1', 1, { status: 'TIMED_OUT', error: { message: 'too late', code: 'T' } });
    await vi.advanceTimersByTimeAsync(20_000);
    await settled();
    expect(bodies.map(({ done }) => done)).toEqual([true, true]);
    expect(bodies[0]!.text).toMatch(
      /id: 2-\w+\nevent: error\ndata: {"status":"TIMED_OUT","message":"too late","code":"T","durationMs":\d+}\n\n$/,
    );
    expect(bodies[1]!.text).toMatch(/\nid: 2-\w+\nevent: complete\ndata: \n\n$/);
    expect((await app.store.get('a1'))!.end).toEqual({ seq: 2, epoch: log.epoch });
    expect(app.services.tails.size).toBe(0);
  });

  test('a live publisher has time to append the terminal event itself', async () => {
    app = createApp();
    const log = await directLog(app);
    await app.store.finish('a1', 1, { status: 'SUCCESS', result: 'r' });
    const body = collect(await get());
    await vi.advanceTimersByTimeAsync(4_000);
    await settled();
    expect(body.done).toBe(false);
    expect((await app.log.head('a1'))!.end).toBe(0);
    expect(await log.complete('r')).toBe(1);
    await settled();
    expect(body.done).toBe(true);
    expect(body.text.match(/event: complete/g)).toHaveLength(1);
  });

  test('several servers append the terminal event once, and set its cursor on the row', async () => {
    const [log, store] = [createMemoryLog(), createMemoryStore()];
    app = createApp({ log, store });
    const direct = await directLog(app);
    await direct.append(chunk('a'));
    await store.finish('a1', 1, { status: 'SUCCESS', result: 'a' });
    await vi.advanceTimersByTimeAsync(6_000);
    const row = (await store.get('a1'))!;
    const reconcilers = Array.from(
      { length: 5 },
      () => createEndReconciler({ log, store, content }).reconcileEnd,
    );
    await Promise.all(reconcilers.map((reconcile) => reconcile(row)));
    const page = (await log.read('a1', 0, 10))!;
    expect(page.events.map(({ type }) => type)).toEqual(['llm_chunk', 'complete']);
    expect((await store.get('a1'))!.end).toEqual({ seq: 2, epoch: direct.epoch });
    // A terminal event in the log whose cursor is missing on the row: the cursor is set, the event is not appended again.
    await Promise.all(reconcilers.map((reconcile) => reconcile(row)));
    expect((await log.head('a1'))!.head).toBe(2);
  });

  test('a log that its source numbers gets the terminal event at its next seq', async () => {
    const [log, store] = [createMemoryLog(), createMemoryStore()];
    await store.begin({ id: 'w', kind: 'workflow', mode: 'STRUCTURED' });
    const opened = await log.open('w', { numbering: 'fixed', attempt: 1 });
    if (opened.outcome !== 'opened') throw new Error(opened.outcome);
    const { epoch } = opened.head;
    await log.append('w', { epoch, acknowledged: 0, events: [{ ...chunk('x'), seq: 1 }] });
    await store.finish('w', 1, { status: 'TERMINATED', error: { message: 'm' } });
    const reconcile = createEndReconciler({ log, store, content, graceMs: 0 }).reconcileEnd;
    await Promise.all([1, 2, 3].map(async () => reconcile((await store.get('w'))!)));
    expect((await log.head('w'))!).toMatchObject({ head: 2, end: 2 });
    expect((await store.get('w'))!.end).toEqual({ seq: 2, epoch });
  });

  test('an open row, and one whose end has a cursor, are left unchanged', async () => {
    const [log, store] = [createMemoryLog(), createMemoryStore()];
    app = createApp({ log, store });
    const direct = await directLog(app);
    const reconcile = createEndReconciler({ log, store, content, graceMs: 0 }).reconcileEnd;
    await reconcile((await store.get('a1'))!);
    expect((await log.head('a1'))!.head).toBe(0);
    await direct.complete();
    await reconcile((await store.get('a1'))!);
    expect((await log.head('a1'))!.head).toBe(1);
  });

  test('the row watch polls every 10 s, continues after a failure, and can be stopped', async () => {
    const store = createMemoryStore();
    await store.begin({ id: 'a1', kind: 'agent', mode: 'TEXT' });
    const ended: Execution[] = [];
    const deleted: string[] = [];
    const follow = createRowWatch({
      ...{ log: createMemoryLog(), store },
      reconcileEnd: async (row) => void ended.push(row),
      endDeleted: async (id) => void deleted.push(id),
    });
    const stop = follow('a1', audience());
    await vi.advanceTimersByTimeAsync(10_000);
    store.isAway = true;
    await vi.advanceTimersByTimeAsync(10_000);
    store.isAway = false;
    await store.finish('a1', 1, { status: 'SUCCESS' });
    await vi.advanceTimersByTimeAsync(10_000);
    expect([ended.length, deleted]).toEqual([1, []]);
    stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ended).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('PROTOCOL.md, Reconnecting: the log of an ended execution has expired', () => {
  /** An ended execution of 7 events whose log has expired. */
  async function expired(mode: 'TEXT' | 'STRUCTURED', result: string | object) {
    const store = createMemoryStore();
    const first = createApp({ store });
    const log = await directLog(first, { mode });
    await log.append(...chunks(6));
    await store.finish('a1', 1, { status: 'SUCCESS', result: result as string });
    await log.append({
      type: 'complete',
      ts: '2026-01-01T00:00:00.000Z',
      data: { status: 'SUCCESS', result: result as string, durationMs: 1 },
    });
    await store.markEnd('a1', { seq: 7, epoch: log.epoch });
    await first.close();
    app = createApp({ store });
    return log;
  }

  test('viewers get a `gap` over the lost events with the result as its text, then the end at its own seq', async () => {
    const log = await expired('TEXT', 'the full text');
    const text = log.masked(await (await get()).text());
    expect(text).toMatch(
      /^retry: 1000\n:\n\nid: 6-EPOCH\nevent: gap\ndata: {"fromSeq":1,"toSeq":6,"text":"the full text"}\n\nid: 7-EPOCH\nevent: complete\ndata: {[^\n]*}\n\n$/,
    );
    expect(JSON.parse(text.slice(text.lastIndexOf('data: ') + 6))).toEqual({
      status: 'SUCCESS',
      result: 'the full text',
      durationMs: expect.any(Number),
    });
    const graphql = await get(graphqlPath('subscription { agentStream(id: "a1") { seq type } }'));
    expect(log.masked(await graphql.text())).toBe(
      'retry: 1000\n:\n\nid: 6-EPOCH\nevent: next\ndata: {"data":{"agentStream":{"seq":6,"type":"GAP"}}}\n\n' +
        'id: 7-EPOCH\nevent: next\ndata: {"data":{"agentStream":{"seq":7,"type":"COMPLETE"}}}\n\n' +
        'id: 7-EPOCH\nevent: complete\ndata: \n\n',
    );
  });

  test('the `gap` of a structured execution has its value', async () => {
    const log = await expired('STRUCTURED', { a: [1] });
    expect(log.masked(await (await get()).text())).toContain(
      'id: 6-EPOCH\nevent: gap\ndata: {"fromSeq":1,"toSeq":6,"value":{"a":[1]}}\n\n',
    );
  });

  test('the `gap` starts after the cursor of a viewer, and passes a filter', async () => {
    const log = await expired('TEXT', 't');
    expect(log.masked(await (await get(PATH, `4-${log.epoch}`)).text())).toContain(
      'data: {"fromSeq":5,"toSeq":6,"text":"t"}',
    );
    expect(log.masked(await (await get(`${PATH}?events=complete`)).text())).toContain('event: gap\n');
    // Nothing is missing between the cursor and the end.
    expect(log.masked(await (await get(PATH, `6-${log.epoch}`)).text())).toMatch(
      /^retry: 1000\n:\n\nid: 7-EPOCH\nevent: complete\n/,
    );
  });

  test('a cursor at the end is 204, and a cursor of another log gets a `reset`', async () => {
    const log = await expired('TEXT', 't');
    expect((await get(PATH, `7-${log.epoch}`)).status).toBe(204);
    const subscription = graphqlPath('subscription { agentStream(id: "a1") { seq } }');
    expect((await get(subscription, `7-${log.epoch}`)).status).toBe(204);
    const other = log.masked(await (await get(PATH, '3-zzzzzzzzzzzz')).text());
    expect(other.match(/event: \w+/g)).toEqual(['event: reset', 'event: gap', 'event: complete']);
  });
});

describe('PROTOCOL.md, Reconnecting: the log of an ended execution lost its end', () => {
  test('viewers get the end from the row if the row has its cursor', async () => {
    const store = createMemoryStore();
    const log = createMemoryLog();
    app = createApp({ store, log });
    const direct = await directLog(app);
    await direct.append(...chunks(3));
    await store.finish('a1', 1, { status: 'SUCCESS', result: '1 2 3 4 ' });
    await store.markEnd('a1', { seq: 5, epoch: direct.epoch });
    const text = direct.masked(await (await get(PATH, `1-${direct.epoch}`)).text());
    expect(text).toMatch(
      /id: 3-EPOCH\nevent: llm_chunk\ndata: 3 \n\nid: 4-EPOCH\nevent: gap\ndata: {"fromSeq":4,"toSeq":4,"text":"1 2 3 4 "}\n\nid: 5-EPOCH\nevent: complete\ndata: .*"result":"1 2 3 4 ".*\n\n$/,
    );
  });
});

describe('PROTOCOL.md, Events: `gap`, where the log has been trimmed', () => {
  const patch = (path: string): NewEvent => ({
    type: 'structured_delta',
    ts: TS,
    data: { patch: [{ op: 'add', path, value: {} }] },
  });

  test('a viewer from the start gets the `gap`, and continues after it', async () => {
    app = createApp({ log: createMemoryLog({ ...DEFAULT_BOUNDS, maxEvents: 3 }) });
    const log = await directLog(app);
    await log.append(...chunks(9));
    await log.complete();
    expect(log.masked(await (await get()).text())).toBe(
      'retry: 1000\n:\n\nid: 7-EPOCH\nevent: gap\ndata: {"fromSeq":1,"toSeq":7}\n\n' +
        'id: 8-EPOCH\nevent: llm_chunk\ndata: 8 \n\nid: 9-EPOCH\nevent: llm_chunk\ndata: 9 \n\n' +
        'id: 10-EPOCH\nevent: complete\ndata: {"status":"SUCCESS","result":"done","durationMs":7}\n\n',
    );
    // There is no gap for a cursor after the lost events.
    expect(await (await get(PATH, `7-${log.epoch}`)).text()).not.toContain('gap');
  });

  test('patches are held back until the next complete value, while the cursor advances', async () => {
    app = createApp({ log: createMemoryLog({ ...DEFAULT_BOUNDS, maxEvents: 5 }) });
    const log = await directLog(app, { mode: 'STRUCTURED' });
    await log.append(patch(''), patch('/a'), patch('/b'), patch('/c'), patch('/d'), patch(''), patch('/e'));
    const body = collect(await get());
    await settled();
    expect(log.masked(body.text).match(/id: .*\nevent: \w+/g)).toEqual([
      'id: 2-EPOCH\nevent: gap',
      'id: 6-EPOCH\nevent: structured_delta',
      'id: 7-EPOCH\nevent: structured_delta',
    ]);
    await body.cancel();
  });
});
