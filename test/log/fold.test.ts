// What a log adds up to, and where that cannot be known.
import { expect, test } from 'vitest';
import type { JsonValue, NewEvent, PatchOperation } from '../../src/event/types.ts';
import { createFolds } from '../../src/log/fold.ts';
import { DEFAULT_BOUNDS, type LogBounds } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { chunk, directLog, TS } from '../support/app.ts';
import { createMemoryStore } from '../support/memory-store.ts';

async function setUp(bounds?: Partial<LogBounds>) {
  const log = createMemoryLog({ ...DEFAULT_BOUNDS, ...bounds });
  const publisher = await directLog({ log, store: createMemoryStore() });
  const fold = createFolds(log);
  return { log, publisher, fold: () => fold('a1') };
}

const patch = (...operations: PatchOperation[]): NewEvent => ({
  type: 'structured_delta',
  ts: TS,
  data: { patch: operations },
});
const set = (value: JsonValue) => patch({ op: 'replace', path: '', value });
const add = (path: string, value: JsonValue) => patch({ op: 'add', path, value });
const warning = (code: string): NewEvent => ({ type: 'warning', ts: TS, data: { code, message: 'm' } });
const reset: NewEvent = { type: 'reset', ts: TS, data: { reason: 'overflow' } };

test('an execution without a log adds up to nothing', async () => {
  const fold = createFolds(createMemoryLog());
  expect(await fold('nobody')).toEqual({ seq: 0, epoch: '', text: '', value: null });
});

test('chunks and patches add up, each time from where it stood; a reset voids them', async () => {
  const { publisher, fold } = await setUp();
  const { epoch } = publisher;
  await publisher.append(chunk('a'), set({ n: 1 }));
  expect(await fold()).toEqual({ seq: 2, epoch, text: 'a', value: { n: 1 } });
  await publisher.append(chunk(' b'), add('/m', 2), ...Array.from({ length: 600 }, () => chunk('.')));
  expect(await fold()).toEqual({ seq: 604, epoch, text: `a b${'.'.repeat(600)}`, value: { n: 1, m: 2 } });
  await publisher.append(reset, chunk('c'));
  expect(await fold()).toEqual({ seq: 606, epoch, text: 'c', value: null });
});

test('where the beginning is gone, nothing is known until it is said whole', async () => {
  const { publisher, fold } = await setUp({ maxEvents: 3 });
  await publisher.append(set({}), chunk('a'), add('/a', 1), chunk('b'), add('/b', 2));
  expect(await fold()).toMatchObject({ seq: 5, text: undefined, value: undefined });
  await publisher.append(set({ c: 3 }), add('/d', 4), chunk('c'));
  expect(await fold()).toMatchObject({ text: undefined, value: { c: 3, d: 4 } });
  await publisher.append(chunk('.'), chunk('.'), reset, chunk('d'));
  expect(await fold()).toMatchObject({ text: 'd', value: null });
});

test('a text that was too long to be said again is not known', async () => {
  const { publisher, fold } = await setUp();
  await publisher.append(reset, warning('OTHER'), chunk('a'));
  expect((await fold()).text).toBe('a');
  await publisher.append(reset, warning('PREFIX_LOST'), chunk('b'));
  expect((await fold()).text).toBeUndefined();
});

test('a text that is too long to be added up is not known', async () => {
  const { publisher, fold } = await setUp();
  await publisher.append(...Array.from({ length: 70 }, () => chunk('x'.repeat(60_000))));
  expect((await fold()).text).toBeUndefined();
});

test('a patch that does not apply leaves a value that is not known', async () => {
  const { publisher, fold } = await setUp();
  await publisher.append(set({}), add('/no/such/place', 1), add('/a', 1));
  expect((await fold()).value).toBeUndefined();
});

test('a log that began anew is added up from its start', async () => {
  const { log, publisher, fold } = await setUp();
  await publisher.append(chunk('a'), chunk('b'));
  await fold();
  const lost = { epoch: publisher.epoch, acknowledged: 9 };
  const opened = await log.open('a1', { numbering: 'auto', publisher: 'direct', attempt: 1, lost });
  if (opened.outcome !== 'opened') throw new Error(opened.outcome);
  const { epoch, head } = opened.head;
  await log.append('a1', { epoch, acknowledged: head, events: [chunk('c')] });
  expect(await fold()).toEqual({ seq: 2, epoch, text: 'c', value: null });
});
