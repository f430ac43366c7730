// Events that are made for one viewer, and the terminal event of a row.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Execution } from '../../src/execution/store.ts';
import { archivedEnd, archivedResultOf } from '../../src/tail/archived-end.ts';
import { LogWindow } from '../../src/tail/log-window.ts';
import { gap, reset, warning } from '../../src/tail/synthetic-events.ts';

const ROW = {
  id: 'a1',
  kind: 'agent',
  mode: 'TEXT',
  status: 'SUCCESS',
  attempt: 3,
  result: 'R',
  startedAt: new Date('2026-01-01T00:00:00.000Z'),
  finishedAt: new Date('2026-01-01T00:00:01.500Z'),
  end: { seq: 9, epoch: 'abcdefghij' },
} as Execution;

beforeEach(() => void vi.useFakeTimers({ now: new Date('2026-02-01T00:00:00.000Z'), toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

function windowOf(row?: Execution): LogWindow {
  const window = new LogWindow('a1');
  window.epoch = 'abcdefghij';
  window.head = 9;
  window.attempt = 2;
  if (row) window.endWith(row);
  return window;
}

const made = { executionId: 'a1', ts: '2026-02-01T00:00:00.000Z', attempt: 2 };

describe('a synthetic event', () => {
  test('has the time at which it is made, and the cursor to resume after', () => {
    expect(reset(windowOf(), 'log_lost')).toEqual({
      ...made,
      ...{ id: '0-abcdefghij', seq: 0, type: 'reset', data: { reason: 'log_lost' } },
    });
    expect(gap(windowOf(), 3, 7)).toEqual({
      ...made,
      ...{ id: '7-abcdefghij', seq: 7, type: 'gap', data: { fromSeq: 3, toSeq: 7 } },
    });
    const data = { code: 'SOURCE_UNAVAILABLE', message: 'm' };
    expect(warning(windowOf(), '5-zzzzzzzzzz', data)).toEqual({
      ...made,
      ...{ id: '5-zzzzzzzzzz', seq: 5, type: 'warning', data },
    });
  });

  test('carries the result of the row if it is a gap up to the terminal event', () => {
    expect(gap(windowOf(ROW), 3, 8).data).toStrictEqual({ fromSeq: 3, toSeq: 8, text: 'R' });
    expect(gap(windowOf(ROW), 3, 7).data).toStrictEqual({ fromSeq: 3, toSeq: 7 });
    const structured = { ...ROW, mode: 'STRUCTURED', result: { a: 1 } } as Execution;
    expect(gap(windowOf(structured), 3, 8).data).toStrictEqual({ fromSeq: 3, toSeq: 8, value: { a: 1 } });
  });
});

describe('the terminal event of a row', () => {
  test('is at its own seq, in its own epoch, at the time of the end', () => {
    expect(archivedEnd(ROW)).toEqual({
      id: '9-abcdefghij',
      seq: 9,
      type: 'complete',
      ts: '2026-01-01T00:00:01.500Z',
      executionId: 'a1',
      attempt: 3,
      data: { status: 'SUCCESS', result: 'R', durationMs: 1_500 },
    });
    expect(archivedResultOf(ROW)).toEqual({ text: 'R' });
  });

  test('is missing while the execution is open, and while the row has no cursor of it', () => {
    expect(archivedEnd({ ...ROW, status: 'RUNNING' })).toBeUndefined();
    const { end: _, ...withoutEnd } = ROW;
    expect(archivedEnd(withoutEnd as Execution)).toBeUndefined();
  });
});
