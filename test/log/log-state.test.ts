// The state of a log: what its events add up to, when that is unknown, and staged events.
import { describe, expect, test } from 'vitest';
import type { ExecutionEvent, JsonValue, NewEvent, PatchOperation } from '../../src/event/events.ts';
import { DEFAULT_BOUNDS, type LogBounds } from '../../src/log/log.ts';
import { LogState, MAX_TEXT_UNITS } from '../../src/log/log-state.ts';
import { createLogStates } from '../../src/log/log-states.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { chunk, directLog, TS } from '../support/app.ts';
import { createMemoryStore } from '../support/memory-store.ts';

async function setUp(bounds?: Partial<LogBounds>) {
  const log = createMemoryLog({ ...DEFAULT_BOUNDS, ...bounds });
  const publisher = await directLog({ log, store: createMemoryStore() });
  const states = createLogStates(log);
  return { log, publisher, states, read: async () => shown(await states.read('a1')) };
}

const shown = ({ seq, epoch, text, value }: LogState) => ({ seq, epoch, text, value });

const patch = (...operations: PatchOperation[]): NewEvent => ({
  type: 'structured_delta',
  ts: TS,
  data: { patch: operations },
});
const set = (value: JsonValue) => patch({ op: 'replace', path: '', value });
const add = (path: string, value: JsonValue) => patch({ op: 'add', path, value });
const warning = (code: string): NewEvent => ({ type: 'warning', ts: TS, data: { code, message: 'm' } });
const reset: NewEvent = { type: 'reset', ts: TS, data: { reason: 'overflow' } };

test('an execution without a log has an empty state', async () => {
  const states = createLogStates(createMemoryLog());
  expect(shown(await states.read('nobody'))).toEqual({ seq: 0, epoch: '', text: '', value: null });
});

test('chunks and patches add up from the last event that was read; a reset clears them', async () => {
  const { publisher, read } = await setUp();
  const { epoch } = publisher;
  await publisher.append(chunk('a'), set({ n: 1 }));
  expect(await read()).toEqual({ seq: 2, epoch, text: 'a', value: { n: 1 } });
  await publisher.append(chunk(' b'), add('/m', 2), ...Array.from({ length: 600 }, () => chunk('.')));
  expect(await read()).toEqual({ seq: 604, epoch, text: `a b${'.'.repeat(600)}`, value: { n: 1, m: 2 } });
  await publisher.append(reset, chunk('c'));
  expect(await read()).toEqual({ seq: 606, epoch, text: 'c', value: null });
});

test('text and value are unknown once the beginning has left the log, until a whole value or a reset', async () => {
  const { publisher, read } = await setUp({ maxEvents: 3 });
  await publisher.append(set({}), chunk('a'), add('/a', 1), chunk('b'), add('/b', 2));
  expect(await read()).toMatchObject({ seq: 5, text: undefined, value: undefined });
  await publisher.append(set({ c: 3 }), add('/d', 4), chunk('c'));
  expect(await read()).toMatchObject({ text: undefined, value: { c: 3, d: 4 } });
  await publisher.append(chunk('.'), chunk('.'), reset, chunk('d'));
  expect(await read()).toMatchObject({ text: 'd', value: null });
});

test('a text is unknown after PREFIX_LOST', async () => {
  const { publisher, read } = await setUp();
  await publisher.append(reset, warning('OTHER'), chunk('a'));
  expect((await read()).text).toBe('a');
  await publisher.append(reset, warning('PREFIX_LOST'), chunk('b'));
  expect((await read()).text).toBeUndefined();
});

test('a text of exactly the limit is known, and one character more makes it unknown', () => {
  const state = new LogState('epoch');
  const part = 'x'.repeat(MAX_TEXT_UNITS / 64);
  for (let seq = 1; seq <= 64; seq += 1) state.add({ ...(chunk(part) as object), seq } as ExecutionEvent);
  expect(state.text).toHaveLength(MAX_TEXT_UNITS);
  state.add({ ...(chunk('x') as object), seq: 65 } as ExecutionEvent);
  expect(state.text).toBeUndefined();
  state.add({ ...(chunk('y') as object), seq: 66 } as ExecutionEvent);
  expect(state.text).toBeUndefined();
  // A text that is not known is not kept.
  expect(state.bytes).toBe(new LogState('epoch').bytes);
});

test('the memory of a state is estimated from its text and its value', () => {
  const state = new LogState('epoch');
  const empty = state.bytes;
  // null: 4 characters and one value.
  expect(empty).toBe(2 * 4 + 48);
  state.add({ ...(chunk('abc') as object), seq: 1 } as ExecutionEvent);
  expect(state.bytes).toBe(empty + 2 * 3);
  state.add({ ...(set([1, 2]) as object), seq: 2 } as ExecutionEvent);
  expect(state.bytes).toBe(2 * (6 + 3) + 3 * 48);
});

test('a copy of a value does not change with later events, and there is none of an unknown value', () => {
  const state = new LogState('epoch');
  state.add({ ...(set({ list: [1] }) as object), seq: 1 } as ExecutionEvent);
  const copy = state.copyValue();
  state.add({ ...(add('/list/-', 2) as object), seq: 2 } as ExecutionEvent);
  expect(copy).toEqual({ list: [1] });
  expect(state.copyValue()).toEqual({ list: [1, 2] });
  state.add({ ...(add('/list/-', 3) as object), seq: 4 } as ExecutionEvent);
  expect(state.copyValue()).toBeUndefined();
});

test('a text above the limit is unknown', async () => {
  const { publisher, read } = await setUp();
  await publisher.append(...Array.from({ length: 70 }, () => chunk('x'.repeat(60_000))));
  expect((await read()).text).toBeUndefined();
});

test('a patch that does not apply leaves the value unknown', async () => {
  const { publisher, read } = await setUp();
  await publisher.append(set({}), add('/no/such/place', 1), add('/a', 1));
  expect((await read()).value).toBeUndefined();
});

test('a log that was recreated is read from its start', async () => {
  const { log, publisher, read } = await setUp();
  await publisher.append(chunk('a'), chunk('b'));
  await read();
  const lost = { epoch: publisher.epoch, acknowledged: 9 };
  const opened = await log.open('a1', { numbering: 'auto', publisher: 'direct', attempt: 1, lost });
  if (opened.outcome !== 'opened') throw new Error(opened.outcome);
  const { epoch, head } = opened.head;
  await log.append('a1', { epoch, acknowledged: head, events: [chunk('c')] });
  expect(await read()).toEqual({ seq: 2, epoch, text: 'c', value: null });
});

test('patches that grow a value beyond the limits leave it unknown, and use no more memory', async () => {
  const { publisher, read } = await setUp();
  const bomb = Array.from({ length: 26 }, (_, i) => patch({ op: 'copy', from: '', path: `/${i}` }));
  await publisher.append(set({ a: 'x' }), ...bomb);
  expect((await read()).value).toBeUndefined();
});

describe('staged events', () => {
  const name = (i: number) => `events.${i}`;

  test('become part of the state when the log has accepted them directly after it', async () => {
    const { publisher, states } = await setUp();
    await publisher.append(chunk('a'), set({ list: [] }));
    const state = await states.read('a1');
    const events = [chunk('b'), add('/list/-', { n: 1 }), add('/list/-', 2)];
    const sent = JSON.stringify(events);
    state.stage(events, name);
    state.settle(await publisher.append(...events));
    expect(shown(state)).toMatchObject({ seq: 5, text: 'ab', value: { list: [{ n: 1 }, 2] } });
    expect(JSON.stringify(events)).toBe(sent);
    expect(shown(await states.read('a1'))).toMatchObject({ seq: 5, text: 'ab' });
  });

  test.each([
    ['the append failed', undefined],
    ['another event came before them', 7],
  ])('are dropped if %s', async (_, head) => {
    const { publisher, states } = await setUp();
    await publisher.append(chunk('a'), set({ list: [1] }));
    const state = await states.read('a1');
    const before = JSON.stringify(shown(state));
    state.stage([chunk('b'), add('/list/0', 0), set('other')], name);
    state.settle(head);
    expect(JSON.stringify(shown(state))).toBe(before);
  });

  test('are rejected together if one does not apply, and the message names the event', async () => {
    const { publisher, states } = await setUp();
    await publisher.append(set({ list: [1] }));
    const state = await states.read('a1');
    expect(() => state.stage([add('/list/-', 2), add('/none/0', 1)], name)).toThrow(
      /^events\.1: structured_delta: patch\.0: add "\/none\/0": /,
    );
    expect(state.value).toEqual({ list: [1] });
  });

  test('are settled once: a later outcome does not concern them', async () => {
    const { publisher, states } = await setUp();
    await publisher.append(chunk('a'));
    const state = await states.read('a1');
    state.settle(undefined);
    expect(shown(state)).toMatchObject({ seq: 1, text: 'a' });
    state.stage([chunk('b'), set(1)], name);
    expect(state.seq).toBe(1);
    state.settle(3);
    state.settle(undefined);
    expect(shown(state)).toMatchObject({ seq: 3, text: 'ab', value: 1 });
  });

  test('share the work that the patches of one batch may cause', async () => {
    const { states } = await setUp();
    const state = await states.read('a1');
    const large = Array.from({ length: 90_000 }, () => 0);
    state.stage([set(large), set(0), set(0)], name);
    state.settle(undefined);
    expect(() => state.stage([set(large), set(large), set(large)], name)).toThrow(
      expect.objectContaining({
        code: 'EVENT_TOO_LARGE',
        message: expect.stringMatching(/^events\.2: structured_delta: patch\.0: .* may visit 200000 values/),
      }),
    );
    expect(state.value).toBeNull();
  });

  test('with PREFIX_LOST make the text unknown, as they do when they are read from the log', async () => {
    const { publisher, states } = await setUp();
    await publisher.append(chunk('a'));
    const state = await states.read('a1');
    const events = [warning('PREFIX_LOST'), chunk('c')];
    state.stage(events, name);
    state.settle(await publisher.append(...events));
    expect(shown(state)).toMatchObject({ seq: 3, text: undefined });
  });

  test('may add to an unknown value, but not copy within it', () => {
    const state = new LogState('epoch');
    state.add({ ...(set({}) as object), seq: 7 } as ExecutionEvent);
    state.add({ ...(chunk('') as object), seq: 9 } as ExecutionEvent);
    expect(state.value).toBeUndefined();
    // An unknown value is not kept.
    expect(state.bytes).toBe(new LogState('epoch').bytes);
    state.stage([add('/a', 1)], name);
    state.settle(10);
    state.stage([chunk('b'), warning('W')], name);
    state.settle(undefined);
    const addAndCopy = patch({ op: 'add', path: '/a', value: 1 }, { op: 'copy', from: '/a', path: '/b' });
    expect(() => state.stage([addAndCopy], name)).toThrow(/copy: the value is unknown/);
    const copy = patch({ op: 'copy', from: '/a', path: '/b' });
    expect(() => state.stage([copy], name)).toThrow(
      expect.objectContaining({
        code: 'BAD_USER_INPUT',
        message:
          'events.0: structured_delta: copy: the value is unknown, because its beginning has left the log; ' +
          'send the whole value first (path "")',
      }),
    );
    state.stage([set({ a: 1 }), copy], name);
    state.settle(12);
    expect(state.value).toEqual({ a: 1, b: 1 });
  });
});

test('a state that has grown evicts older ones, and stays itself however large it is', async () => {
  const log = createMemoryLog();
  const store = createMemoryStore();
  const states = createLogStates(log, { maxBytes: 5_000 });
  const publishers = [];
  for (const id of ['a', 'b']) {
    publishers.push(await directLog({ log, store }, { id }));
    await states.read(id);
  }
  const state = await states.read('b');
  const event = chunk('x'.repeat(5_000));
  state.stage([event], String);
  state.settle(await publishers[1]!.append(event));
  states.evict('b');
  states.evict('unknown');
  expect(['a', 'b', 'unknown'].map((id) => states.has(id))).toEqual([false, true, false]);
});

test('states of exactly the memory limit are cached', async () => {
  const log = createMemoryLog();
  const store = createMemoryStore();
  const empty = new LogState('').bytes;
  for (const [maxBytes, cached] of [
    [2 * empty, [true, true]],
    [2 * empty - 1, [false, true]],
  ] as const) {
    const states = createLogStates(log, { maxBytes });
    for (const id of ['a', 'b']) {
      if (maxBytes === 2 * empty) await directLog({ log, store }, { id });
      await states.read(id);
      // Reading a state again does not count it twice.
      await states.read(id);
    }
    expect(['a', 'b'].map((id) => states.has(id))).toEqual(cached);
  }
});

test('up to 10,000 states are cached, however small they are', async () => {
  const head = {
    epoch: 'e'.repeat(10),
    head: 0,
    numbering: 'auto',
    attempt: 1,
    end: 0,
    hasPublisher: false,
  } as const;
  const states = createLogStates({ read: async () => ({ ...head, events: [] }) });
  for (let i = 1; i <= 10_000; i += 1) await states.read(`${i}`);
  expect(states.has('1')).toBe(true);
  await states.read('10001');
  expect(['1', '2', '10001'].map((id) => states.has(id))).toEqual([false, true, true]);
});

/** States of a log whose pages a test chooses, and the seqs after which it was read. */
function statesOf(pageAfter: (after: number) => { epoch: string; head: number; events: ExecutionEvent[] }) {
  const reads: number[] = [];
  const states = createLogStates({
    read: async (_, after) => {
      reads.push(after);
      return { numbering: 'auto', attempt: 1, end: 0, hasPublisher: true, ...pageAfter(after) };
    },
  });
  return { states, reads };
}

const chunks = (from: number, to: number) =>
  Array.from(
    { length: to - from + 1 },
    (_, i) => ({ ...(chunk(`${from + i}`) as object), seq: from + i }) as ExecutionEvent,
  );

test('a log is read once per page, and once for its events since', async () => {
  let head = 2;
  const { states, reads } = statesOf((after) => ({ epoch: 'e', head, events: chunks(after + 1, head) }));
  expect((await states.read('a1')).text).toBe('12');
  head = 3;
  expect((await states.read('a1')).text).toBe('123');
  expect((await states.read('a1')).text).toBe('123');
  expect(reads).toEqual([0, 2, 3]);
});

test('a log whose head has fallen is read from its start, although its epoch is the same', async () => {
  let head = 3;
  const { states, reads } = statesOf((after) => ({ epoch: 'e', head, events: chunks(after + 1, head) }));
  await states.read('a1');
  head = 1;
  expect(shown(await states.read('a1'))).toMatchObject({ seq: 1, text: '1' });
  expect(reads).toEqual([0, 3, 0]);
});

test('a log without the events up to its head has the state of those that it has', async () => {
  const { states } = statesOf(() => ({ epoch: 'e', head: 5, events: [] }));
  expect(shown(await states.read('a1'))).toMatchObject({ seq: 0, text: '' });
});

test('the state of a log that is gone is dropped', async () => {
  const { log, publisher } = await setUp();
  await publisher.append(chunk('a'));
  let isGone = false;
  const states = createLogStates({
    read: async (id, after, limit) => (isGone ? undefined : log.read(id, after, limit)),
  });
  expect((await states.read('a1')).text).toBe('a');
  isGone = true;
  expect(shown(await states.read('a1'))).toEqual({ seq: 0, epoch: '', text: '', value: null });
  expect(states.has('a1')).toBe(false);
});

test('concurrent reads apply each event once', async () => {
  const { publisher, states } = await setUp();
  await publisher.append(chunk('a'));
  await states.read('a1');
  await publisher.append(...Array.from({ length: 300 }, () => chunk('b')));
  const [one, two] = await Promise.all([states.read('a1'), states.read('a1')]);
  expect(one).toBe(two);
  expect(one.text).toBe(`a${'b'.repeat(300)}`);
});

test('states beyond the memory limit are evicted, the least recently used first, and read again', async () => {
  const log = createMemoryLog();
  const store = createMemoryStore();
  const states = createLogStates(log, { maxBytes: 5_000 });
  for (const id of ['a', 'b', 'c']) {
    const publisher = await directLog({ log, store }, { id });
    await publisher.append(chunk('x'.repeat(1_000)));
    await states.read(id);
  }
  expect(['a', 'b', 'c'].map((id) => states.has(id))).toEqual([false, true, true]);
  expect((await states.read('a')).text).toHaveLength(1_000);
  expect(['a', 'b', 'c'].map((id) => states.has(id))).toEqual([true, false, true]);
});
