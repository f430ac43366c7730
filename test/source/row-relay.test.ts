// How relays of a row recover from failures: outages, lost responses, lost leases, a lost log.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import type { EventLog } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createRowCopier } from '../../src/source/row-copier.ts';
import { content } from '../support/content.ts';
import { until } from '../support/wait.ts';
import { ID, setUp } from './engine-row.ts';

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
  let current = createMemoryLog();
  const log = new Proxy({} as EventLog, { get: (_, key) => Reflect.get(current, key) });
  const { engine, text, types, follow } = setUp(log);
  engine.set({ result: 'one' });
  follow();
  await until(async () => (await text()) === 'one', { what: 'the first text' });
  const old = current;
  current = createMemoryLog();
  // The lease outlives the log in this test, as it may on Redis.
  Object.assign(current, { takeLease: old.takeLease, renewLease: old.renewLease, dropLease: old.dropLease });
  engine.set({ result: 'one two' });
  await until(async () => (await text()) === 'one two', { what: 'the complete text' });
  expect(await types()).toEqual(['reset', 'agent_start', 'llm_chunk']);
});
