// What a permanent rejection by the log means for a run.
import { expect, test } from 'vitest';
import type { AppendResult, LogHead, OpenResult } from '../../src/log/log.ts';
import { endPositionOf, toRunError } from '../../src/publish/log-outcome.ts';

const head = {
  epoch: 'e2',
  head: 9,
  end: 9,
  numbering: 'auto',
  attempt: 1,
  hasPublisher: true,
} satisfies LogHead;

test.each<[OpenResult | AppendResult, string, string]>([
  [{ outcome: 'ended', end: 9 }, 'ENDED', 'the execution has ended; nothing follows its terminal event'],
  [{ outcome: 'ended', head }, 'ENDED', 'the execution has ended; nothing follows its terminal event'],
  [{ outcome: 'superseded', attempt: 3 }, 'SUPERSEDED', 'attempt 3 of another publisher has the execution'],
  [
    { outcome: 'wrong-numbering', numbering: 'fixed' },
    'SUPERSEDED',
    'the log belongs to a source, not to a publisher (wrong-numbering)',
  ],
  [{ outcome: 'fenced' }, 'SUPERSEDED', 'the log belongs to a source, not to a publisher (fenced)'],
])('%j aborts a run with %s', (result, code, message) => {
  expect(toRunError(result)).toMatchObject({ name: 'ExecstreamError', code, message });
});

test('the position of a terminal event is known if the log has one', () => {
  expect(endPositionOf({ outcome: 'ended', head }, 'e1')).toEqual({ epoch: 'e2', seq: 9 });
  expect(endPositionOf({ outcome: 'ended', end: 7 }, 'e1')).toEqual({ epoch: 'e1', seq: 7 });
  expect(endPositionOf({ outcome: 'ended', end: 7 }, undefined)).toBeUndefined();
  expect(endPositionOf({ outcome: 'superseded', attempt: 2 }, 'e1')).toBeUndefined();
});
