// The newest events of a log, within limits, and their spans.
import { describe, expect, it } from 'vitest';
import type { ExecutionEvent } from '../../src/event/events.ts';
import { EventRing } from '../../src/tail/event-ring.ts';
import { ID, range, seqs } from './harness.ts';

const event = (seq: number, length = 1): ExecutionEvent => ({
  ...{ id: `${seq}-abcdefghij`, seq, executionId: ID, attempt: 1 },
  ...{ type: 'llm_chunk', ts: '', data: { content: 'ä'.repeat(length) } },
});

describe('the limits of the ring', () => {
  it('the ring holds the newest 1,024 events', () => {
    const ring = new EventRing();
    expect(ring.first).toBeUndefined();
    for (const seq of range(5, 5_000)) ring.push(event(seq));
    expect([ring.first, ring.at(3_976), ring.at(3_977)?.seq, ring.at(5_000)?.seq, ring.at(5_001)]).toEqual([
      3_977,
      undefined,
      3_977,
      5_000,
      undefined,
    ]);
  });

  it('the ring holds up to 1 MiB, and always the newest event', () => {
    const ring = new EventRing();
    for (const seq of range(1, 100)) ring.push(event(seq, 32 * 1024));
    expect(ring.first).toBe(85);
    ring.push(event(101, 2 * 1024 * 1024));
    expect(ring.first).toBe(101);
    ring.push(event(102));
    expect([ring.first, ring.at(101), ring.at(102)?.seq]).toEqual([102, undefined, 102]);
  });

  it('the ring continues after an event above its limit', () => {
    const ring = new EventRing();
    for (const seq of range(1, 3)) ring.push(event(seq));
    ring.push(event(4, 2 * 1024 * 1024));
    for (const seq of range(5, 8)) ring.push(event(seq));
    expect([ring.first, ring.at(4), seqs(ring.after(4)!.events)]).toEqual([5, undefined, [5, 6, 7, 8]]);
  });

  it('the ring counts bytes correctly after it was compacted or cleared', () => {
    const ring = new EventRing();
    for (const seq of range(1, 2_100)) ring.push(event(seq));
    for (const seq of range(2_101, 2_200)) ring.push(event(seq, 32 * 1024));
    expect(ring.first).toBe(2_185);
    ring.clear();
    for (const seq of range(1, 15)) ring.push(event(seq, 32 * 1024));
    expect([ring.first, range(1, 15).every((seq) => ring.at(seq)?.seq === seq)]).toEqual([1, true]);
  });

  it('the ring starts again after it was cleared', () => {
    const ring = new EventRing();
    for (const seq of range(1, 10)) ring.push(event(seq));
    ring.clear();
    expect([ring.first, ring.at(10)]).toEqual([undefined, undefined]);
    ring.push(event(700));
    expect([ring.first, ring.at(700)?.seq]).toEqual([700, 700]);
  });
});

describe('the spans of the ring', () => {
  it('the ring returns the same span after a seq until an event is added', () => {
    const ring = new EventRing();
    expect(ring.after(0)).toBeUndefined();
    for (const seq of range(5, 9)) ring.push(event(seq));
    const span = ring.after(6)!;
    expect([seqs(span.events), span.from]).toEqual([[7, 8, 9], 0]);
    expect(ring.after(6)).toBe(span);
    expect(seqs(ring.after(4)!.events)).toEqual([5, 6, 7, 8, 9]);
    expect(seqs(ring.after(8)!.events)).toEqual([9]);
    expect([ring.after(3), ring.after(9), ring.after(10)]).toEqual([undefined, undefined, undefined]);
    ring.after(6);
    ring.push(event(10));
    expect(seqs(ring.after(6)!.events)).toEqual([7, 8, 9, 10]);
    ring.clear();
    expect(ring.after(6)).toBeUndefined();
  });

  it('the ring returns spans up to the size of a write, with one event at least', () => {
    const ring = new EventRing();
    for (const seq of range(1, 4)) ring.push(event(seq, 20 * 1024));
    ring.push(event(5, 100 * 1024));
    expect([0, 2, 3, 4].map((seq) => seqs(ring.after(seq)!.events))).toEqual([[1, 2], [3, 4], [4, 5], [5]]);
  });

  it('the ring returns correct spans after it was compacted', () => {
    const ring = new EventRing();
    for (const seq of range(1, 5_000)) ring.push(event(seq));
    expect(seqs(ring.after(4_990)!.events)).toEqual(range(4_991, 5_000));
    expect(ring.after(3_975)).toBeUndefined();
    expect(ring.after(3_976)!.events[0]!.seq).toBe(3_977);
  });
});
