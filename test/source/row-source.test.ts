// The row source: which relay copies a row, and when.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/event/events.ts';
import { createEndReconciler } from '../../src/source/end-reconciler.ts';
import { content } from '../support/content.ts';
import { until } from '../support/wait.ts';
import { ID, setUp, TIMES } from './engine-row.ts';

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
    const reconcileEnd = createEndReconciler({
      log,
      store,
      content,
      copyRow: source.copy,
      graceMs: 0,
    }).reconcileEnd;
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
