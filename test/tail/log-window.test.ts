// What a tail holds in memory of its log, without a log.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ExecutionEvent } from '../../src/event/events.ts';
import type { Execution } from '../../src/execution/store.ts';
import type { LogPage } from '../../src/log/log.ts';
import { LogWindow } from '../../src/tail/log-window.ts';
import { ID, range } from './harness.ts';

const event = (seq: number, attempt = 1, type = 'llm_chunk'): ExecutionEvent =>
  ({ id: `${seq}-e`, seq, type, ts: '', executionId: ID, attempt, data: { content: 'x' } }) as ExecutionEvent;
const events = (from: number, to: number) => range(from, to).map((seq) => event(seq));

function page(from: number, to: number, fields: Partial<LogPage> = {}): LogPage {
  const numbers = { head: to, end: 0, attempt: 1 };
  return {
    epoch: 'e',
    ...numbers,
    numbering: 'auto',
    hasPublisher: true,
    events: events(from, to),
    ...fields,
  };
}

/** A window of epoch `e` with these events. */
function windowOf(head: number): LogWindow {
  const window = new LogWindow(ID);
  window.startEpoch(page(1, head));
  return window;
}

/** The seqs that the ring holds. */
const held = ({ ring }: LogWindow) => range(1, 3_000).filter((seq) => ring.at(seq));

describe('appending to a log window', () => {
  test('an event that an overlapping batch repeats is held once', () => {
    const window = windowOf(3);
    expect(window.append(events(2, 5))).toBe(2);
    expect([window.head, held(window), window.ring.after(0)!.events.length]).toEqual([5, range(1, 5), 5]);
    expect(window.append(events(4, 5))).toBe(0);
    expect(window.ring.after(0)!.events.map(({ seq }) => seq)).toEqual(range(1, 5));
  });

  test('overlapping batches in any division are held once and in order', () => {
    const overlaps = fc.array(fc.record({ back: fc.nat(5), size: fc.integer({ min: 1, max: 9 }) }));
    fc.assert(
      fc.property(overlaps, (batches) => {
        const window = windowOf(1);
        for (const { back, size } of batches) {
          const from = Math.max(1, window.head + 1 - back);
          window.append(events(from, from + size - 1));
        }
        expect(held(window)).toEqual(range(1, window.head));
      }),
    );
  });

  test('attempt and end follow the events that are new', () => {
    const window = windowOf(3);
    window.append([event(3, 9, 'complete'), event(4, 2), event(5, 2, 'complete')]);
    expect([window.attempt, window.end]).toEqual([2, 5]);
    const repeated = windowOf(3);
    repeated.append([event(3, 9, 'complete')]);
    expect([repeated.attempt, repeated.end]).toEqual([1, 0]);
  });

  test('an announcement continues a window of its epoch from which no event is missing', () => {
    const window = windowOf(3);
    const continued = ([epoch, from, to]: [string, number, number]) =>
      window.isContinuedBy(epoch, events(from, to));
    const announcements: [string, number, number][] = [
      ['e', 4, 6],
      ['e', 2, 6],
      ['e', 5, 6],
      ['f', 4, 6],
    ];
    expect(announcements.map(continued)).toEqual([true, true, false, false]);
    expect(window.isContinuedBy('e', [])).toBe(true);
  });
});

describe('advancing a log window to a page', () => {
  test('a page that holds all new events is appended', () => {
    const window = windowOf(3);
    expect(window.advance(page(4, 6, { attempt: 2 }))).toBe(3);
    expect([window.head, held(window)]).toEqual([6, range(1, 6)]);
  });

  test('a page of an unchanged head keeps the ring, and brings the attempt', () => {
    const window = windowOf(3);
    expect(window.advance(page(4, 3, { attempt: 2 }))).toBe(0);
    expect([window.head, window.attempt, held(window)]).toEqual([3, 2, range(1, 3)]);
  });

  test('a page that does not reach its head empties the ring', () => {
    const window = windowOf(3);
    expect(window.advance(page(4, 6, { head: 9 }))).toBe(0);
    expect([window.head, held(window)]).toEqual([9, []]);
  });

  test('a page after a hole replaces the ring', () => {
    const window = windowOf(3);
    window.advance(page(6, 8));
    expect([window.head, held(window)]).toEqual([8, range(6, 8)]);
  });

  test('the terminal event of a log that has ended far away is held', () => {
    const window = windowOf(3);
    window.advance(page(900, 900, { end: 900 }));
    expect([window.head, window.end, held(window)]).toEqual([900, 900, [900]]);
  });
});

describe('a new epoch of a log window', () => {
  test('a new epoch replaces everything', () => {
    const window = windowOf(5);
    window.startEpoch(page(1, 2, { epoch: 'f', attempt: 3, end: 2 }));
    const { epoch, head, end, attempt } = window;
    expect([epoch, head, end, attempt, held(window)]).toEqual(['f', 2, 2, 3, [1, 2]]);
  });

  test('a new epoch without a log is empty, and keeps the attempt', () => {
    const window = windowOf(5);
    window.append([event(6, 4, 'complete')]);
    window.startEpoch(undefined);
    const { epoch, head, end, attempt } = window;
    expect([epoch, head, end, attempt, held(window)]).toEqual(['', 0, 0, 4, []]);
  });

  test('a new epoch of which a page holds a part leaves the ring empty', () => {
    const window = windowOf(5);
    window.startEpoch(page(1, 2, { epoch: 'f', head: 700 }));
    expect([window.head, held(window)]).toEqual([700, []]);
  });
});

describe('ending a log window with a row', () => {
  const row = { id: ID, kind: 'agent', mode: 'TEXT', attempt: 2, status: 'SUCCESS', result: 'R' };
  const dates = { startedAt: new Date(0), finishedAt: new Date(1) };
  const ended = { ...row, ...dates, end: { seq: 9, epoch: 'z' } } as unknown as Execution;

  test('ending a log window with a row leaves its terminal event and its result', () => {
    const window = windowOf(5);
    expect(window.endWith(ended)).toBe(true);
    const { epoch, head, end, attempt, archivedResult } = window;
    expect([epoch, head, end, attempt, archivedResult]).toEqual(['z', 9, 9, 2, { text: 'R' }]);
    expect([held(window), window.ring.at(9)?.type]).toEqual([[9], 'complete']);
  });

  test('ending a log window with a row changes nothing after the terminal event, or if the row has none', () => {
    const window = windowOf(5);
    const { end: _, ...open } = ended;
    expect(window.endWith(open as Execution)).toBe(false);
    window.append([event(6, 1, 'complete')]);
    expect(window.endWith(ended)).toBe(false);
    expect([window.epoch, window.end, held(window)]).toEqual(['e', 6, range(1, 6)]);
  });
});
