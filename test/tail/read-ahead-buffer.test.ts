// The spans that a slow viewer has read from the log and not taken yet.
import { describe, expect, test } from 'vitest';
import type { ExecutionEvent } from '../../src/event/events.ts';
import { ReadAheadBuffer } from '../../src/tail/read-ahead-buffer.ts';
import { range, seqs } from './harness.ts';

const span = (from: number, to: number) => range(from, to).map((seq) => ({ seq }) as ExecutionEvent);
const SPANS = [span(5, 7), span(8, 9), span(10, 12)];

describe('a read-ahead buffer', () => {
  test('a read-ahead buffer returns the spans of the log themselves, from the cursor on', () => {
    const buffer = new ReadAheadBuffer(SPANS, 5, 12);
    expect(buffer.after(5)).toEqual({ events: SPANS[0], from: 1 });
    expect(buffer.after(5)!.events).toBe(SPANS[0]);
    expect([buffer.after(4)?.from, buffer.at(6)?.seq, buffer.last]).toEqual([0, 6, 12]);
  });

  test('a read-ahead buffer returns nothing that is not next', () => {
    const buffer = new ReadAheadBuffer(SPANS, 5, 12);
    expect([buffer.after(2), buffer.at(4), buffer.after(7), buffer.at(8)]).toEqual(Array(4).fill(undefined));
  });

  test('a read-ahead buffer omits spans that were taken, and events above the head', () => {
    const buffer = new ReadAheadBuffer(SPANS, 7, 11);
    expect([buffer.firstAfter(7), buffer.last, seqs(buffer.after(7)!.events)]).toEqual([8, 11, [8, 9]]);
    buffer.discardTo(9);
    expect(seqs(buffer.after(9)!.events)).toEqual([10, 11]);
    const taken = new ReadAheadBuffer(SPANS, 12, 12);
    expect([taken.last, taken.firstAfter(12), taken.after(12)]).toEqual([0, undefined, undefined]);
    const above = new ReadAheadBuffer(SPANS, 3, 4);
    expect([above.last, above.firstAfter(3)]).toEqual([0, undefined]);
  });

  test('a read-ahead buffer tells the first event after a cursor, within a span or after trimmed events', () => {
    expect(new ReadAheadBuffer(SPANS, 2, 12).firstAfter(2)).toBe(5);
    expect(new ReadAheadBuffer(SPANS, 6, 12).firstAfter(6)).toBe(7);
  });

  test('a read-ahead buffer discards spans that end at or before a seq, and says whether any are left', () => {
    const buffer = new ReadAheadBuffer(SPANS, 4, 12);
    expect([buffer.discardTo(6), buffer.at(7)?.seq]).toEqual([true, 7]);
    expect([buffer.discardTo(7), buffer.at(7), buffer.at(8)?.seq]).toEqual([true, undefined, 8]);
    expect([buffer.discardTo(12), buffer.at(12)]).toEqual([false, undefined]);
  });
});
