// The row source over the memory log and a store in memory, with real but short times: which relay copies, when, and
// how it recovers from failures.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import type { ExecutionEvent, JsonValue } from '../../src/event/events.ts';
import type { Execution } from '../../src/execution/store.ts';
import type { EventLog } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createEndReconciler } from '../../src/source/end-reconciler.ts';
import { createRowCopier } from '../../src/source/row-copier.ts';
import { createRowSource } from '../../src/source/row-source.ts';
import { content } from '../support/content.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';
import { until } from '../support/wait.ts';
import { audience } from './audience.ts';

const ID = 'agent-1';
const TIMES = { leaseMs: 300, standbyMs: 40, publishedMs: 60 };
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** An engine that writes a row, and a count of the polls of it. */
function createEngine(store: MemoryStore) {
  let row: Execution = {
    id: ID,
    kind: 'agent',
    mode: 'TEXT',
    status: 'RUNNING',
    attempt: 1,
    revision: 1,
    startedAt: new Date(),
  };
  const engine = {
    polls: 0,
    set(change: Partial<Execution>): void {
      const isEnd = change.status === 'SUCCESS' && { finishedAt: new Date() };
      row = { ...row, ...change, ...isEnd, revision: row.revision + 1 };
    },
    get row() {
      return row;
    },
  };
  const checkAvailable = (): void => {
    if (store.isAway) throw new ExecstreamError('SOURCE_UNAVAILABLE', 'store is unavailable');
  };
  store.get = async () => {
    checkAvailable();
    return structuredClone(row);
  };
  store.statesAfter = async (_, revision) => {
    engine.polls += 1;
    checkAvailable();
    return row.revision > revision ? [structuredClone(row)] : [];
  };
  store.markEnd = async (_, end) => {
    checkAvailable();
    engine.set({ end });
  };
  return engine;
}

function setUp(log: EventLog = createMemoryLog()) {
  const store = createMemoryStore();
  const engine = createEngine(store);
  const source = createRowSource({ log, store, content, ...TIMES });
  const events = async (): Promise<readonly ExecutionEvent[]> => (await log.read(ID, 0, 1_000))?.events ?? [];
  const types = async () => (await events()).map(({ type }) => type);
  const text = async () =>
    (await events()).reduce((whole, { type, data }) => {
      if (type === 'reset') return '';
      return type === 'llm_chunk' ? whole + (data as { content: string }).content : whole;
    }, '');
  const follow = (pollMs = 20) => {
    const viewers = audience(pollMs);
    const stop = createRowSource({ log, store, content, ...TIMES }).follow(ID, viewers);
    stops.push(stop);
    return { viewers, stop };
  };
  return { log, store, engine, source, events, types, text, follow };
}

describe('an unpublished execution', () => {
  test('an unpublished execution is streamed from its row to its end, and the row gets the end’s position', async () => {
    const { engine, types, text, follow, log } = setUp();
    follow();
    await until(async () => (await types()).length === 1, { what: 'the start' });
    for (const result of ['one', 'one two']) {
      engine.set({ result });
      await until(async () => (await text()) === result, { what: result });
    }
    engine.set({ status: 'SUCCESS', result: 'one two three' });
    await until(() => engine.row.end, { what: 'the end on the row' });
    expect(await types()).toEqual(['agent_start', 'llm_chunk', 'llm_chunk', 'llm_chunk', 'complete']);
    expect(engine.row.end).toEqual({ seq: 5, epoch: (await log.head(ID))?.epoch });
    const { polls } = engine;
    await sleep(100);
    expect(engine.polls).toBe(polls);
  });

  test('a row is polled at its viewers’ interval, by one relay, and not at all without viewers', async () => {
    const { engine, follow, types } = setUp();
    const { viewers, stop } = follow(500);
    const other = follow(500);
    await sleep(50);
    viewers.pollMs = 25;
    other.viewers.pollMs = 25;
    await until(async () => (await types()).length === 1, { what: 'the start' });
    await sleep(60);
    const before = engine.polls;
    await sleep(500);
    // Twice as many if both relays polled.
    expect(engine.polls - before).toBeGreaterThan(10);
    expect(engine.polls - before).toBeLessThan(25);
    stop();
    other.stop();
    await sleep(60);
    const after = engine.polls;
    await sleep(100);
    expect(engine.polls).toBe(after);
  });

  test('a newer attempt begins with a reset', async () => {
    const { engine, types, text, follow, events } = setUp();
    engine.set({ result: 'half of a first try' });
    follow();
    await until(async () => (await text()) !== '', { what: 'the first try' });
    engine.set({ attempt: 2, result: 'a second' });
    await until(async () => (await text()) === 'a second', { what: 'the second try' });
    expect(await types()).toEqual(['agent_start', 'llm_chunk', 'reset', 'llm_chunk']);
    expect((await events()).slice(2)).toMatchObject([
      { attempt: 2, data: { reason: 'attempt' } },
      { attempt: 2 },
    ]);
  });

  test('a relay continues where the previous one stopped, without duplicates', async () => {
    const { engine, text, types, follow } = setUp();
    engine.set({ result: 'one' });
    const first = follow();
    await until(async () => (await text()) === 'one', { what: 'the first text' });
    first.stop();
    engine.set({ result: 'one two', status: 'WAITING' });
    follow();
    await until(async () => (await text()) === 'one two', { what: 'the second text' });
    expect(await types()).toEqual(['agent_start', 'llm_chunk', 'agent_status', 'llm_chunk']);
  });

  test('a dead relay is replaced once its lease has expired', async () => {
    const { log, engine, text, follow } = setUp();
    await log.takeLease(ID, 'dead', TIMES.leaseMs);
    engine.set({ result: 'x' });
    const since = Date.now();
    follow();
    await until(async () => (await text()) === 'x', { what: 'the text' });
    expect(Date.now() - since).toBeGreaterThan(200);
  });

  test('an ended row is copied immediately when its end is reconciled', async () => {
    const { log, store, engine, types, source } = setUp();
    engine.set({ result: 'all', status: 'SUCCESS', finishedAt: new Date(0) });
    const reconcileEnd = createEndReconciler({ log, store, content, copyRow: source.copy, graceMs: 0 });
    await reconcileEnd(engine.row);
    expect(await types()).toEqual(['agent_start', 'llm_chunk', 'complete']);
    expect(engine.row.end?.seq).toBe(3);
    await reconcileEnd(engine.row);
    expect(await types()).toHaveLength(3);
  });

  test('a value is streamed as patches that lead to it, also after a change of relays', async () => {
    const { engine, events, follow } = setUp();
    const value = async (): Promise<JsonValue> => {
      const { applyPatch } = (await import('fast-json-patch')).default;
      return (await events()).reduce<JsonValue>(
        (held, { type, data }) =>
          type === 'structured_delta'
            ? (
                applyPatch({ held }, at(data as { patch: { path: string }[] })).newDocument as {
                  held: JsonValue;
                }
              ).held
            : held,
        null,
      );
    };
    const at = ({ patch }: { patch: { path: string }[] }) =>
      patch.map((operation) => ({ ...operation, path: `/held${operation.path}` })) as never;
    engine.set({ mode: 'STRUCTURED', result: { a: [1] } });
    const { stop } = follow();
    await until(async () => JSON.stringify(await value()) === '{"a":[1]}');
    engine.set({ result: { a: [1, 2] } });
    await until(async () => JSON.stringify(await value()) === '{"a":[1,2]}');
    stop();
    engine.set({ result: { a: [1, 2, 3], b: null } });
    follow();
    await until(async () => JSON.stringify(await value()) === '{"a":[1,2,3],"b":null}');
  });
});

describe('a published execution', () => {
  test('a published execution is not polled', async () => {
    const { log, engine, follow, types } = setUp();
    await log.open(ID, { numbering: 'auto', publisher: 'p', attempt: 1 });
    follow();
    engine.set({ result: 'of the row' });
    await sleep(200);
    expect([engine.polls, await types()]).toEqual([0, []]);
  });

  test('an execution whose log is lost is not polled while its publisher is alive', async () => {
    const { log, engine, follow } = setUp();
    await log.recordHeartbeat(ID);
    follow();
    await sleep(200);
    expect([engine.polls, await log.head(ID)]).toEqual([0, undefined]);
  });

  test('a log that a publisher opens right after its row is left to the publisher', async () => {
    const { log, follow, types } = setUp();
    follow(100);
    await sleep(20);
    await log.open(ID, { numbering: 'auto', publisher: 'p', attempt: 1 });
    await sleep(250);
    expect(await types()).toEqual([]);
  });

  test('a relay leaves its log to a publisher that takes it over', async () => {
    const { log, engine, follow, types } = setUp();
    follow();
    await until(async () => (await types()).length === 1, { what: 'the start' });
    await log.open(ID, { numbering: 'auto', publisher: 'p', attempt: 1 });
    engine.set({ result: 'of the row' });
    await sleep(150);
    const { polls } = engine;
    await sleep(150);
    expect([engine.polls, await types()]).toEqual([polls, ['agent_start']]);
  });
});

describe('failures', () => {
  test('an outage of the store causes one warning, and the stream continues without a loss', async () => {
    const { store, engine, text, follow } = setUp();
    engine.set({ result: 'one' });
    const { viewers } = follow();
    await until(async () => (await text()) === 'one', { what: 'the first text' });
    store.isAway = true;
    engine.set({ result: 'one two' });
    await until(() => viewers.warnings.length > 0, { what: 'a warning' });
    await sleep(600);
    expect(viewers.warnings).toEqual(['SOURCE_UNAVAILABLE']);
    store.isAway = false;
    await until(async () => (await text()) === 'one two', { what: 'the second text' });
  });

  test('an outage of the log causes a warning while its execution is published', async () => {
    const log = createMemoryLog();
    await log.open(ID, { numbering: 'auto', publisher: 'p', attempt: 1 });
    await log.recordHeartbeat(ID);
    const { follow } = setUp(log);
    const { viewers } = follow();
    await sleep(150);
    expect(viewers.warnings).toEqual([]);
    const fail = async () => {
      throw new ExecstreamError('SOURCE_UNAVAILABLE', 'unavailable');
    };
    log.silencesMs = fail;
    log.head = fail;
    await until(() => viewers.warnings.length > 0, { what: 'a warning' });
    expect(viewers.warnings).toEqual(['SOURCE_UNAVAILABLE']);
  });

  test('an append whose response is lost is not repeated', async () => {
    const log = createMemoryLog();
    const { append } = log;
    const { engine, text, types, follow } = setUp(log);
    engine.set({ result: 'one' });
    follow();
    await until(async () => (await text()) === 'one', { what: 'the first text' });
    log.append = async (...args) => {
      await append(...args);
      throw new ExecstreamError('SOURCE_UNAVAILABLE', 'unavailable');
    };
    engine.set({ result: 'one two' });
    await until(async () => (await text()) === 'one two', { what: 'the second text' });
    log.append = append;
    engine.set({ result: 'one two three' });
    await until(async () => (await text()) === 'one two three', { what: 'the third text' });
    expect(await types()).toEqual(['agent_start', 'llm_chunk', 'llm_chunk', 'llm_chunk']);
  });

  test('a paused relay that resumes with an old token is fenced, and duplicates nothing', async () => {
    const { log, store, engine, text, types } = setUp();
    engine.set({ result: 'one' });
    const createCopier = (fence: number) => createRowCopier({ log, store, content, executionId: ID, fence });
    const paused = createCopier((await log.takeLease(ID, 'paused', 20))!);
    expect(await paused.step()).toBe('current');
    await sleep(40);
    engine.set({ result: 'one two' });
    const next = createCopier((await log.takeLease(ID, 'next', 5_000))!);
    expect(await next.step()).toBe('current');
    engine.set({ result: 'one two three' });
    expect(await paused.step()).toBe('fenced');
    expect(await next.step()).toBe('current');
    expect(await text()).toBe('one two three');
    expect(await types()).toEqual(['agent_start', 'llm_chunk', 'llm_chunk', 'llm_chunk']);
  });

  test('a relay that loses its lease leaves the row to the new holder', async () => {
    const { log, engine, text, types, follow } = setUp();
    engine.set({ result: 'one' });
    follow();
    await until(async () => (await text()) === 'one', { what: 'the first text' });
    const { renewLease } = log;
    log.renewLease = async () => false;
    const { takeLease } = log;
    log.takeLease = async () => undefined;
    await sleep(200);
    engine.set({ result: 'one two' });
    const { polls } = engine;
    await sleep(200);
    expect([engine.polls, await text()]).toEqual([polls, 'one']);
    Object.assign(log, { renewLease, takeLease });
    await until(async () => (await text()) === 'one two', { what: 'the second text' });
    expect(await types()).toHaveLength(3);
  });

  test('a lost log receives all events again, after a reset', async () => {
    let real = createMemoryLog();
    const log = new Proxy({} as EventLog, { get: (_, key) => Reflect.get(real, key) });
    const { engine, text, types, follow } = setUp(log);
    engine.set({ result: 'one' });
    follow();
    await until(async () => (await text()) === 'one', { what: 'the first text' });
    const old = real;
    real = createMemoryLog();
    // The lease outlives the log in this test, as it may on Redis.
    Object.assign(real, { takeLease: old.takeLease, renewLease: old.renewLease, dropLease: old.dropLease });
    engine.set({ result: 'one two' });
    await until(async () => (await text()) === 'one two', { what: 'the complete text' });
    expect(await types()).toEqual(['reset', 'agent_start', 'llm_chunk']);
  });
});
