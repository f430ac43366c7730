// A viewer's cursor in a log that a test changes by hand.
import { describe, expect, test, vi } from 'vitest';
import type { Cursor } from '../../src/event/cursor.ts';
import type { ExecutionEvent } from '../../src/event/events.ts';
import type { LogPage } from '../../src/log/log.ts';
import { LogWindow } from '../../src/tail/log-window.ts';
import { ViewerCursor } from '../../src/tail/viewer-cursor.ts';
import { ID, range, settled, shown } from './harness.ts';

const event = (seq: number, epoch = 'e'): ExecutionEvent => ({
  ...{ id: `${seq}-${epoch}`, seq, executionId: ID, attempt: 1, ts: '' },
  ...{ type: 'llm_chunk', data: { content: 'x' } },
});

function page(from: number, to: number, epoch = 'e', fields: Partial<LogPage> = {}): LogPage {
  const events = range(from, to).map((seq) => event(seq, epoch));
  return { epoch, head: to, end: 0, attempt: 1, numbering: 'auto', hasPublisher: true, events, ...fields };
}

/** A tail whose pages a test gives, and which records what is reported to it. */
class ManualTail extends LogWindow {
  readonly reports: unknown[] = [];
  readonly requests: number[] = [];
  takenSeq = 0;
  pages: (after: number) => Promise<readonly (readonly ExecutionEvent[])[] | undefined> = async () =>
    undefined;

  taken(seq: number): void {
    this.takenSeq = seq;
  }

  page(after: number) {
    this.requests.push(after);
    return this.pages(after);
  }

  missed(): void {
    this.reports.push('missed');
  }

  pageFailed(error: unknown): void {
    this.reports.push(error);
  }
}

function setUp(head: number, after?: Cursor) {
  const tail = new ManualTail(ID);
  if (head > 0) tail.startEpoch(page(1, head));
  const wake = vi.fn();
  const cursor = new ViewerCursor(tail, after, { wake });
  cursor.compare();
  /** What the cursor returns until it has no more. */
  const drain = () => {
    const events: ExecutionEvent[] = [];
    for (let next = cursor.next(); next; next = cursor.next()) events.push(next);
    return shown(events).map((text) => text.replace('llm_chunk ', ''));
  };
  return { tail, cursor, drain, wakes: () => wake.mock.calls.length };
}

/** Moves a tail's head past what its ring holds. */
function empty(tail: ManualTail, head: number, fields: Partial<LogPage> = {}) {
  tail.skipTo(page(1, 0, 'e', { head, ...fields }));
}

describe('a cursor in a log that it belongs to', () => {
  test('a cursor returns every event after it once, and reports each as taken', () => {
    const { tail, cursor, drain } = setUp(3, { seq: 1, epoch: 'e' });
    expect(drain()).toEqual(['2-e', '3-e']);
    expect([cursor.seq, tail.takenSeq]).toEqual([3, 3]);
    tail.append([event(4)]);
    expect(drain()).toEqual(['4-e']);
  });

  test('a cursor without an epoch takes that of the log, and is lost when that changes', () => {
    const { tail, cursor, drain } = setUp(3, { seq: 2 });
    expect(cursor.epoch).toBe('e');
    tail.startEpoch(page(1, 4, 'f'));
    cursor.compare();
    expect(drain()).toEqual(['reset 0-f', '1-f', '2-f', '3-f', '4-f']);
  });

  test('a cursor returns nothing while there is no log, and is compared with it later', () => {
    const { tail, cursor, drain } = setUp(0, { seq: 2, epoch: 'e' });
    expect([drain(), cursor.isContinuous, cursor.isLost]).toEqual([[], false, false]);
    tail.startEpoch(page(1, 3));
    cursor.compare();
    expect([cursor.isContinuous, drain()]).toEqual([true, ['3-e']]);
  });

  test('a cursor returns spans up to the head, and reports them as taken', () => {
    const { tail, cursor } = setUp(4, { seq: 1, epoch: 'e' });
    expect([cursor.lag, cursor.nextSpan()?.events.length]).toEqual([3, 3]);
    expect([cursor.seq, cursor.lag, tail.takenSeq, cursor.nextSpan()]).toEqual([4, 0, 4, undefined]);
  });
});

describe('a cursor that is lost', () => {
  test.each<[string, Cursor]>([
    ['of another epoch', { seq: 1, epoch: 'x' }],
    ['above the head', { seq: 4, epoch: 'e' }],
    ['above the head without an epoch', { seq: 4 }],
  ])('a cursor %s returns a reset, then the log from its start', (_, after) => {
    const { cursor, drain } = setUp(2, after);
    expect([cursor.isLost, cursor.isContinuous]).toEqual([true, false]);
    expect(drain()).toEqual(['reset 0-e', '1-e', '2-e']);
    expect(cursor.isLost).toBe(false);
  });

  test('a cursor that is lost returns no reset while there is no log', () => {
    const { tail, cursor, drain } = setUp(2, { seq: 1, epoch: 'x' });
    tail.startEpoch(undefined);
    cursor.compare();
    expect(drain()).toEqual([]);
    tail.startEpoch(page(1, 1, 'f'));
    cursor.compare();
    expect(drain()).toEqual(['reset 0-f', '1-f']);
  });

  test('a cursor stays lost though the log grows past it', () => {
    const { tail, cursor, drain } = setUp(2, { seq: 3, epoch: 'e' });
    tail.append([event(3), event(4)]);
    cursor.compare();
    expect(drain()[0]).toBe('reset 0-e');
  });
});

describe('a cursor behind the ring', () => {
  test('a cursor behind the ring reads one page at a time, and returns its events when it is woken', async () => {
    const { tail, cursor, drain, wakes } = setUp(1, { seq: 1, epoch: 'e' });
    empty(tail, 6);
    tail.pages = async () => [
      [event(1), event(2), event(3)],
      [event(4), event(5), event(6)],
    ];
    expect([drain(), drain(), tail.requests]).toEqual([[], [], [1]]);
    await settled();
    expect([wakes(), cursor.nextSpan()?.from]).toEqual([1, 1]);
    expect([drain(), tail.requests]).toEqual([['4-e', '5-e', '6-e'], [1]]);
  });

  test('a cursor behind the ring returns one gap over what was trimmed', async () => {
    const { tail, cursor, drain } = setUp(1, { seq: 1, epoch: 'e' });
    empty(tail, 6);
    tail.pages = async () => [[event(5), event(6)]];
    drain();
    await settled();
    expect([cursor.isContinuous, drain()]).toEqual([false, ['gap 4-e', '5-e', '6-e']]);
    expect(cursor.isContinuous).toBe(true);
  });

  test('a cursor behind the ring returns a gap up to the ring of an ended log that has expired', async () => {
    const { tail, drain } = setUp(1, { seq: 1, epoch: 'e' });
    tail.skipTo(page(9, 9, 'e', { end: 9 }));
    drain();
    await settled();
    expect([drain(), tail.reports]).toEqual([['gap 8-e', '9-e'], []]);
  });

  test('a cursor behind the ring reports an open log that holds none of its events, and a page that fails', async () => {
    const { tail, drain, wakes } = setUp(1, { seq: 1, epoch: 'e' });
    empty(tail, 6);
    drain();
    await settled();
    expect(tail.reports).toEqual(['missed']);
    const error = new Error('unavailable');
    tail.pages = () => Promise.reject(error);
    drain();
    await settled();
    expect([tail.reports, wakes()]).toEqual([['missed', error], 0]);
  });

  test('a cursor behind the ring does not return a page of events above a head that has fallen', async () => {
    const { tail, cursor, drain } = setUp(1, { seq: 1, epoch: 'e' });
    empty(tail, 6);
    tail.pages = async () => [
      [event(2), event(3)],
      [event(4), event(5), event(6)],
    ];
    drain();
    await settled();
    empty(tail, 4);
    cursor.compare();
    tail.pages = async () => [[event(2)], [event(3), event(4)]];
    expect(drain()).toEqual([]);
    await settled();
    expect([drain(), tail.requests]).toEqual([
      ['2-e', '3-e', '4-e'],
      [1, 1],
    ]);
  });

  test('a cursor behind the ring does not use a page that arrives after the log was lost', async () => {
    const { tail, cursor, drain, wakes } = setUp(1, { seq: 1, epoch: 'e' });
    empty(tail, 6);
    let give: (spans: ExecutionEvent[][]) => void = () => {};
    tail.pages = () => new Promise((resolve) => (give = resolve));
    drain();
    tail.startEpoch(page(1, 6, 'f'));
    cursor.compare();
    give([[event(5), event(6)]]);
    await settled();
    expect([wakes(), drain()]).toEqual([1, ['reset 0-f', ...range(1, 6).map((seq) => `${seq}-f`)]]);
  });

  test('a cursor behind the ring does not use a page that arrives after it has moved on', async () => {
    const { tail, cursor, drain } = setUp(1, { seq: 1, epoch: 'e' });
    empty(tail, 3);
    let give: (spans: ExecutionEvent[][]) => void = () => {};
    tail.pages = () => new Promise((resolve) => (give = resolve));
    drain();
    tail.startEpoch(page(1, 3, 'f'));
    cursor.compare();
    expect(drain().length).toBe(4);
    tail.append([event(4, 'f')]);
    give([[event(3)]]);
    await settled();
    expect([cursor.isContinuous, drain()]).toEqual([true, ['4-f']]);
  });

  test('a cursor behind the ring drops pages and trimmed events with a reset', async () => {
    const { tail, cursor, drain } = setUp(1, { seq: 1, epoch: 'e' });
    empty(tail, 9);
    tail.pages = async () => [
      [event(6), event(7)],
      [event(8), event(9)],
    ];
    drain();
    await settled();
    tail.startEpoch(page(1, 0, 'f', { head: 9 }));
    cursor.compare();
    tail.pages = async () => [range(1, 9).map((seq) => event(seq, 'f'))];
    expect(drain()).toEqual(['reset 0-f']);
    await settled();
    expect(drain()).toEqual(range(1, 9).map((seq) => `${seq}-f`));
  });
});
