// What the end of an execution brings along, where its publisher died while its last words waited for the log.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ExecutionMode, JsonValue, NewEvent } from '../../src/event/events.ts';
import { DEFAULT_BOUNDS, type EventLog, type LogBounds } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createEndReconciler } from '../../src/source/end-reconciler.ts';
import { chunk, directLog, TS } from '../support/app.ts';
import { content } from '../support/content.ts';
import { createMemoryStore } from '../support/memory-store.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const delta = (path: string, value: JsonValue): NewEvent => ({
  type: 'structured_delta',
  ts: TS,
  data: { patch: [{ op: path === '' ? 'replace' : 'add', path, value }] },
});

interface SetUp {
  readonly mode?: ExecutionMode;
  readonly bounds?: Partial<LogBounds>;
}

async function setUp({ mode = 'TEXT', bounds }: SetUp = {}) {
  const log = createMemoryLog({ ...DEFAULT_BOUNDS, ...bounds });
  const store = createMemoryStore();
  const publisher = await directLog({ log, store }, { mode });
  const reconciler = (on: EventLog = log) => createEndReconciler({ log: on, store, content });
  return {
    log,
    store,
    publisher,
    reconciler,
    /** The row ends, and the grace of its publisher passes. */
    async end(result: JsonValue) {
      await store.finish('a1', 1, { status: 'SUCCESS', result });
      await vi.advanceTimersByTimeAsync(6_000);
    },
    async reconcile(on?: EventLog) {
      await reconciler(on)((await store.get('a1'))!);
    },
    /** What stands in the log after a seq, each event as its type and what matters of its data. */
    async told(after = 0) {
      const { events } = (await log.read('a1', after, 10_000))!;
      return events.map(({ type, data }) => {
        if (type === 'llm_chunk') return data.content;
        if (type === 'structured_delta') return data.patch;
        return type === 'reset' ? `reset ${data.reason}` : type;
      });
    },
  };
}

describe('a text', () => {
  test('is told from where the log stops, then the end, and both once', async () => {
    const { publisher, log, store, end, reconcile, told } = await setUp();
    await publisher.append(chunk('It was '), chunk('a dark '));
    await end('It was a dark and stormy night.');
    await reconcile();
    expect(await told()).toEqual(['It was ', 'a dark ', 'and stormy night.', 'complete']);
    expect((await store.get('a1'))!.end).toEqual({ seq: 4, epoch: publisher.epoch });
    await reconcile();
    expect((await log.head('a1'))!.head).toBe(4);
  });

  test('that stands whole in the log is left as it is, and its publisher may still tell the end', async () => {
    const { publisher, end, log, reconcile, told } = await setUp();
    await publisher.append(chunk('whole'));
    await end('whole');
    await reconcile();
    expect(await told()).toEqual(['whole', 'complete']);
    // Told in nobody's name: what the publisher hears is that the execution has ended, not that another one has it.
    const { epoch } = publisher;
    const late = { epoch, acknowledged: 1, publisher: 'direct', events: [chunk('late')] };
    expect(await log.append('a1', late)).toEqual({ outcome: 'ended', end: 2 });
  });

  test('counts from its last reset', async () => {
    const { publisher, end, reconcile, told } = await setUp();
    await publisher.append(chunk('A first try'), { type: 'reset', ts: TS, data: { reason: 'overflow' } });
    await publisher.append(chunk('A second'));
    await end('A second try');
    await reconcile();
    expect(await told(2)).toEqual(['A second', ' try', 'complete']);
  });

  test('of many batches is told in order', async () => {
    const { publisher, end, reconcile, log } = await setUp();
    const text = Array.from({ length: 100_000 }, (_, i) => `${i} `).join('');
    await publisher.append(chunk(text.slice(0, 7)));
    await end(text);
    await reconcile();
    const { events } = (await log.read('a1', 0, 1_000))!;
    const read = events.map(({ type, data }) => (type === 'llm_chunk' ? data.content : ''));
    expect(read.join('') === text).toBe(true);
    expect(events.at(-1)!.type).toBe('complete');
  });

  test('whose beginning is gone from the log is told whole, after a reset', async () => {
    const { publisher, end, reconcile, told } = await setUp({ bounds: { maxEvents: 5 } });
    await publisher.append(...['a', 'b', 'c', 'd', 'e', 'f'].map(chunk));
    await end('abcdefgh');
    await reconcile();
    expect(await told(6)).toEqual(['reset overflow', 'abcdefgh', 'complete']);
  });

  test('is not what a result says that was given beside it', async () => {
    const { publisher, end, reconcile, told } = await setUp();
    await publisher.append(chunk('Thinking aloud'));
    await end('42');
    await reconcile();
    expect(await told()).toEqual(['Thinking aloud', 'complete']);
  });

  test('of an attempt that never reached the log is told after the reset that voids the one before', async () => {
    const { publisher, store, reconcile, told } = await setUp();
    await publisher.append(chunk('of the first'));
    await store.begin({ id: 'a1', kind: 'agent', mode: 'TEXT', attempt: 2 });
    await store.finish('a1', 2, { status: 'SUCCESS', result: 'of the second' });
    await vi.advanceTimersByTimeAsync(6_000);
    await reconcile();
    expect(await told(1)).toEqual(['reset attempt', 'of the second', 'complete']);
  });
});

describe('a value', () => {
  test('that the log does not add up to is told whole', async () => {
    const { publisher, end, reconcile, told } = await setUp({ mode: 'STRUCTURED' });
    await publisher.append(delta('', { a: 1 }), delta('/b', 2));
    await end({ a: 1, b: 2, c: 3 });
    await reconcile();
    const whole = [{ op: 'replace', path: '', value: { a: 1, b: 2, c: 3 } }];
    expect(await told(2)).toEqual([whole, 'complete']);
  });

  test('that the log adds up to is left as it is, also where its beginning is gone', async () => {
    const { publisher, end, reconcile, told } = await setUp({ mode: 'STRUCTURED', bounds: { maxEvents: 4 } });
    await publisher.append(
      delta('', {}),
      delta('/x', 0),
      delta('', { a: 1 }),
      delta('/b', 2),
      delta('/c', 3),
    );
    await end({ c: 3, b: 2, a: 1 });
    await reconcile();
    expect(await told(5)).toEqual(['complete']);
  });

  test('that became null is told so', async () => {
    const { publisher, end, reconcile, told } = await setUp({ mode: 'STRUCTURED' });
    await publisher.append(delta('', { a: 1 }));
    await end(null);
    await reconcile();
    expect(await told(1)).toEqual([[{ op: 'replace', path: '', value: null }], 'complete']);
  });

  test('of which the log does not hold enough to know is told whole', async () => {
    const { publisher, end, reconcile, told } = await setUp({ mode: 'STRUCTURED', bounds: { maxEvents: 3 } });
    await publisher.append(delta('', {}), ...['a', 'b', 'c', 'd'].map((key) => delta(`/${key}`, 1)));
    await end({ a: 1, b: 1, c: 1, d: 1 });
    await reconcile();
    expect(await told(5)).toEqual([
      [{ op: 'replace', path: '', value: { a: 1, b: 1, c: 1, d: 1 } }],
      'complete',
    ]);
  });
});

describe('the log is read', () => {
  /** A log that counts what is read of it. */
  function counted(log: EventLog) {
    const counts = { reads: 0 };
    const read: EventLog['read'] = (...asked) => {
      counts.reads += 1;
      return log.read(...asked);
    };
    return { counts, on: { ...log, read } };
  }

  test('once for all who come together', async () => {
    const { publisher, log, store, end, reconciler, told } = await setUp();
    await publisher.append(chunk('one '));
    await end('one two');
    const { counts, on } = counted(log);
    const reconcileEnd = reconciler(on);
    const row = (await store.get('a1'))!;
    await Promise.all(Array.from({ length: 50 }, () => reconcileEnd(row)));
    expect(counts.reads).toBe(1);
    expect(await told()).toEqual(['one ', 'two', 'complete']);
  });

  test('not at all for a row that has no result', async () => {
    const { publisher, log, store, reconcile, told } = await setUp();
    await publisher.append(chunk('one '));
    await store.finish('a1', 1, { status: 'FAILED', error: { message: 'm' } });
    await vi.advanceTimersByTimeAsync(6_000);
    const { counts, on } = counted(log);
    await reconcile(on);
    expect(counts.reads).toBe(0);
    expect(await told()).toEqual(['one ', 'error']);
  });

  test('again where it was lost in between: half of a text is never told as the whole', async () => {
    const { publisher, log, end, reconcile } = await setUp();
    await publisher.append(chunk('one '));
    await end('one two');
    const empty = createMemoryLog();
    const losing: EventLog = { ...log, open: empty.open, append: empty.append };
    await reconcile(losing);
    expect(await empty.head('a1')).toBeUndefined();
    await reconcile(empty);
    const { events } = (await empty.read('a1', 0, 10))!;
    expect(events.map(({ type, data }) => (type === 'llm_chunk' ? data.content : type))).toEqual([
      'one two',
      'complete',
    ]);
  });
});

describe('a publisher that is only late', () => {
  test('and speaks while the log is read is left to tell the rest itself', async () => {
    const { publisher, log, end, reconcile, told } = await setUp();
    await publisher.append(chunk('one '));
    await end('one two three');
    const racing: EventLog = {
      ...log,
      read: async (...read) => {
        const page = await log.read(...read);
        await publisher.append(chunk('two '));
        return page;
      },
    };
    await reconcile(racing);
    expect(await told()).toEqual(['one ', 'two ']);
    await reconcile();
    expect(await told()).toEqual(['one ', 'two ', 'three', 'complete']);
  });

  test('and speaks between the batches of the rest is refused', async () => {
    const { publisher, log, end, reconcile, told } = await setUp();
    const text = 'word '.repeat(120_000);
    await publisher.append(chunk('word '));
    await end(text);
    const refused: string[] = [];
    const racing: EventLog = {
      ...log,
      append: async (id, request) => {
        const { epoch } = publisher;
        const late = { epoch, acknowledged: 1, publisher: 'direct', events: [chunk('word ')] };
        refused.push((await log.append(id, late)).outcome);
        return log.append(id, request);
      },
    };
    await reconcile(racing);
    expect(new Set(refused)).toEqual(new Set(['superseded']));
    expect(refused.length).toBeGreaterThan(1);
    const all = await told();
    expect(all.pop()).toBe('complete');
    expect(all.join('') === text).toBe(true);
  });

  test('many servers at once tell the rest once', async () => {
    const { publisher, store, end, reconciler, told } = await setUp();
    await publisher.append(chunk('one '));
    await end('one two');
    const row = (await store.get('a1'))!;
    await Promise.all(Array.from({ length: 5 }, () => reconciler()(row)));
    // Who took it last has it; the others' words are refused.
    expect(await told()).toEqual(['one ', 'two', 'complete']);
  });
});
