// Reconciling the end of an execution whose publisher died before its last events were appended.
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
  const reconciler = (on: EventLog = log) => createEndReconciler({ log: on, store, content }).reconcileEnd;
  return {
    log,
    store,
    publisher,
    reconciler,
    /** Ends the row, and waits until its publisher's grace period is over. */
    async end(result: JsonValue) {
      await store.finish('a1', 1, { status: 'SUCCESS', result });
      await vi.advanceTimersByTimeAsync(6_000);
    },
    async reconcile(on?: EventLog) {
      await reconciler(on)((await store.get('a1'))!);
    },
    /** The events of the log after a seq, each as its type or the essential part of its data. */
    async contents(after = 0) {
      const { events } = (await log.read('a1', after, 10_000))!;
      return events.map(({ type, data }) => {
        if (type === 'llm_chunk') return data.content;
        if (type === 'structured_delta') return data.patch;
        return type === 'reset' ? `reset ${data.reason}` : type;
      });
    },
  };
}

describe('text', () => {
  test('missing text is appended after the text of the log, then the end, and both only once', async () => {
    const { publisher, log, store, end, reconcile, contents } = await setUp();
    await publisher.append(chunk('It was '), chunk('a dark '));
    await end('It was a dark and stormy night.');
    await reconcile();
    expect(await contents()).toEqual(['It was ', 'a dark ', 'and stormy night.', 'complete']);
    expect((await store.get('a1'))!.end).toEqual({ seq: 4, epoch: publisher.epoch });
    await reconcile();
    expect((await log.head('a1'))!.head).toBe(4);
  });

  test('a complete text in the log is left unchanged, and a late publisher receives `ended`', async () => {
    const { publisher, end, log, reconcile, contents } = await setUp();
    await publisher.append(chunk('whole'));
    await end('whole');
    await reconcile();
    expect(await contents()).toEqual(['whole', 'complete']);
    // Appended without a publisher, so the publisher learns that the execution has ended, not that it is superseded.
    const { epoch } = publisher;
    const late = { epoch, acknowledged: 1, publisher: 'direct', events: [chunk('late')] };
    expect(await log.append('a1', late)).toEqual({ outcome: 'ended', end: 2 });
  });

  test('the text of the log is the text since its last reset', async () => {
    const { publisher, end, reconcile, contents } = await setUp();
    await publisher.append(chunk('A first try'), { type: 'reset', ts: TS, data: { reason: 'overflow' } });
    await publisher.append(chunk('A second'));
    await end('A second try');
    await reconcile();
    expect(await contents(2)).toEqual(['A second', ' try', 'complete']);
  });

  test('a text of many batches is appended in order', async () => {
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

  test('a text whose beginning was trimmed from the log is appended in full, after a reset', async () => {
    const { publisher, end, reconcile, contents } = await setUp({ bounds: { maxEvents: 5 } });
    await publisher.append(...['a', 'b', 'c', 'd', 'e', 'f'].map(chunk));
    await end('abcdefgh');
    await reconcile();
    expect(await contents(6)).toEqual(['reset overflow', 'abcdefgh', 'complete']);
  });

  test('a result that is separate from the text appends no text', async () => {
    const { publisher, end, reconcile, contents } = await setUp();
    await publisher.append(chunk('Thinking aloud'));
    await end('42');
    await reconcile();
    expect(await contents()).toEqual(['Thinking aloud', 'complete']);
  });

  test('the text of an attempt that never reached the log is appended after a reset of the previous attempt', async () => {
    const { publisher, store, reconcile, contents } = await setUp();
    await publisher.append(chunk('of the first'));
    await store.begin({ id: 'a1', kind: 'agent', mode: 'TEXT', attempt: 2 });
    await store.finish('a1', 2, { status: 'SUCCESS', result: 'of the second' });
    await vi.advanceTimersByTimeAsync(6_000);
    await reconcile();
    expect(await contents(1)).toEqual(['reset attempt', 'of the second', 'complete']);
  });
});

describe('value', () => {
  test('a value that differs from the state of the log is appended in full', async () => {
    const { publisher, end, reconcile, contents } = await setUp({ mode: 'STRUCTURED' });
    await publisher.append(delta('', { a: 1 }), delta('/b', 2));
    await end({ a: 1, b: 2, c: 3 });
    await reconcile();
    const fullPatch = [{ op: 'replace', path: '', value: { a: 1, b: 2, c: 3 } }];
    expect(await contents(2)).toEqual([fullPatch, 'complete']);
  });

  test('a value that equals the state of the log is not appended again, also in a trimmed log', async () => {
    const { publisher, end, reconcile, contents } = await setUp({
      mode: 'STRUCTURED',
      bounds: { maxEvents: 4 },
    });
    await publisher.append(
      delta('', {}),
      delta('/x', 0),
      delta('', { a: 1 }),
      delta('/b', 2),
      delta('/c', 3),
    );
    await end({ c: 3, b: 2, a: 1 });
    await reconcile();
    expect(await contents(5)).toEqual(['complete']);
  });

  test('a value that became null is appended as null', async () => {
    const { publisher, end, reconcile, contents } = await setUp({ mode: 'STRUCTURED' });
    await publisher.append(delta('', { a: 1 }));
    await end(null);
    await reconcile();
    expect(await contents(1)).toEqual([[{ op: 'replace', path: '', value: null }], 'complete']);
  });

  test('a value that a trimmed log does not determine is appended in full', async () => {
    const { publisher, end, reconcile, contents } = await setUp({
      mode: 'STRUCTURED',
      bounds: { maxEvents: 3 },
    });
    await publisher.append(delta('', {}), ...['a', 'b', 'c', 'd'].map((key) => delta(`/${key}`, 1)));
    await end({ a: 1, b: 1, c: 1, d: 1 });
    await reconcile();
    expect(await contents(5)).toEqual([
      [{ op: 'replace', path: '', value: { a: 1, b: 1, c: 1, d: 1 } }],
      'complete',
    ]);
  });
});

describe('reads of the log', () => {
  /** A log that counts its reads. */
  function countReads(log: EventLog) {
    const counts = { reads: 0 };
    const read: EventLog['read'] = (...args) => {
      counts.reads += 1;
      return log.read(...args);
    };
    return { counts, on: { ...log, read } };
  }

  test('concurrent calls read the log once', async () => {
    const { publisher, log, store, end, reconciler, contents } = await setUp();
    await publisher.append(chunk('one '));
    await end('one two');
    const { counts, on } = countReads(log);
    const reconcileEnd = reconciler(on);
    const row = (await store.get('a1'))!;
    await Promise.all(Array.from({ length: 50 }, () => reconcileEnd(row)));
    expect(counts.reads).toBe(1);
    expect(await contents()).toEqual(['one ', 'two', 'complete']);
  });

  test('a row without a result does not read the log', async () => {
    const { publisher, log, store, reconcile, contents } = await setUp();
    await publisher.append(chunk('one '));
    await store.finish('a1', 1, { status: 'FAILED', error: { message: 'm' } });
    await vi.advanceTimersByTimeAsync(6_000);
    const { counts, on } = countReads(log);
    await reconcile(on);
    expect(counts.reads).toBe(0);
    expect(await contents()).toEqual(['one ', 'error']);
  });

  test('a log that is lost during the reconciliation is read again: half of a text never counts as the full text', async () => {
    const { publisher, log, end, reconcile } = await setUp();
    await publisher.append(chunk('one '));
    await end('one two');
    const empty = createMemoryLog();
    const lostLog: EventLog = { ...log, open: empty.open, append: empty.append };
    await reconcile(lostLog);
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
  test('a publisher that appends while the log is read is left to append the rest itself', async () => {
    const { publisher, log, end, reconcile, contents } = await setUp();
    await publisher.append(chunk('one '));
    await end('one two three');
    const racingLog: EventLog = {
      ...log,
      read: async (...read) => {
        const page = await log.read(...read);
        await publisher.append(chunk('two '));
        return page;
      },
    };
    await reconcile(racingLog);
    expect(await contents()).toEqual(['one ', 'two ']);
    await reconcile();
    expect(await contents()).toEqual(['one ', 'two ', 'three', 'complete']);
  });

  test('a publisher that appends between the batches of the rest is rejected', async () => {
    const { publisher, log, end, reconcile, contents } = await setUp();
    const text = 'word '.repeat(120_000);
    await publisher.append(chunk('word '));
    await end(text);
    const outcomes: string[] = [];
    const racingLog: EventLog = {
      ...log,
      append: async (id, request) => {
        const { epoch } = publisher;
        const late = { epoch, acknowledged: 1, publisher: 'direct', events: [chunk('word ')] };
        outcomes.push((await log.append(id, late)).outcome);
        return log.append(id, request);
      },
    };
    await reconcile(racingLog);
    expect(new Set(outcomes)).toEqual(new Set(['superseded']));
    expect(outcomes.length).toBeGreaterThan(1);
    const all = await contents();
    expect(all.pop()).toBe('complete');
    expect(all.join('') === text).toBe(true);
  });

  test('concurrent servers append the rest once', async () => {
    const { publisher, store, end, reconciler, contents } = await setUp();
    await publisher.append(chunk('one '));
    await end('one two');
    const row = (await store.get('a1'))!;
    await Promise.all(Array.from({ length: 5 }, () => reconciler()(row)));
    // The last server to take the log over owns it; the appends of the others are rejected.
    expect(await contents()).toEqual(['one ', 'two', 'complete']);
  });
});

test('an end in the future, by a clock of another time zone, is reconciled without waiting for it', async () => {
  const { store, publisher, reconciler, contents } = await setUp();
  await publisher.append(chunk('all'));
  const row = (await store.finish('a1', 1, { status: 'SUCCESS', result: 'all' }))!;
  await reconciler()({ ...row, finishedAt: new Date(Date.now() + 2 * 3_600_000) });
  expect(await contents()).toEqual(['all', 'complete']);
});
