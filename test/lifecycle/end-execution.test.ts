// The order of an end, and the state after a failure of each step.
import { expect, test } from 'vitest';
import type { ExecutionEnd } from '../../src/execution/store.ts';
import { type EndedRow, endExecution, type Position, recordEnd } from '../../src/lifecycle/end-execution.ts';

const SUCCESS: ExecutionEnd = { status: 'SUCCESS', result: 'done' };
const POSITION: Position = { epoch: 'epoch0000000', seq: 7 };

function rowOf(changes: Partial<EndedRow> = {}): EndedRow {
  const startedAt = new Date(0);
  return {
    attempt: 1,
    status: 'SUCCESS',
    result: 'done',
    startedAt,
    finishedAt: new Date(1_000),
    ...changes,
  };
}

interface Faults {
  readonly row?: EndedRow;
  readonly position?: Position;
  readonly failing?: 'finish' | 'append' | 'markEnd';
}

/** Ends an execution and records the steps in the order in which they were taken. */
function setUp({ row = rowOf(), position = POSITION, failing }: Faults = {}) {
  const steps: string[] = [];
  const step = (name: string, detail?: string) => {
    steps.push(detail === undefined ? name : `${name} ${detail}`);
    if (name === failing) throw new Error(`${name} failed`);
  };
  return {
    steps,
    request: {
      end: SUCCESS,
      attempt: 1,
      finish: async () => {
        step('finish');
        return row;
      },
      append: async (terminal: { type: string; data: unknown }) => {
        step('append', `${terminal.type} ${JSON.stringify(terminal.data)}`);
        return position.seq === 0 ? undefined : position;
      },
      markEnd: async ({ seq, epoch }: Position) => step('markEnd', `${seq}-${epoch}`),
    },
  };
}

test('the row ends first, then the terminal event is appended, then its position is stored', async () => {
  const { request, steps } = setUp();
  expect(await endExecution(request)).toEqual({ outcome: 'ended', position: POSITION });
  expect(steps).toEqual([
    'finish',
    'append complete {"status":"SUCCESS","durationMs":1000,"result":"done"}',
    'markEnd 7-epoch0000000',
  ]);
});

test('the first end wins: the terminal event is that of the row, not of this call', async () => {
  const row = rowOf({ status: 'FAILED', error: { message: 'by another process' } });
  const { request, steps } = setUp({ row });
  const terminal = { type: 'complete', ts: '', data: { status: 'SUCCESS', durationMs: 5 } } as const;
  expect(await endExecution({ ...request, terminal })).toMatchObject({ outcome: 'ended' });
  expect(steps[1]).toBe('append error {"status":"FAILED","message":"by another process","durationMs":1000}');
});

test('an end that wins appends its own terminal event', async () => {
  const { request, steps } = setUp();
  const terminal = { type: 'complete', ts: '', data: { status: 'SUCCESS', durationMs: 5 } } as const;
  await endExecution({ ...request, terminal });
  expect(steps[1]).toBe('append complete {"status":"SUCCESS","durationMs":5}');
});

test.each([
  ['of a newer attempt', rowOf({ attempt: 2 }), 2],
  ['that is still open', rowOf({ status: 'RUNNING' }), 1],
])('a row %s is left alone: nothing is appended', async (_, row, attempt) => {
  const { request, steps } = setUp({ row });
  expect(await endExecution(request)).toEqual({ outcome: 'superseded', attempt });
  expect(steps).toEqual(['finish']);
});

test('without a row nothing is appended', async () => {
  const { request, steps } = setUp();
  expect(await endExecution({ ...request, finish: async () => undefined })).toEqual({ outcome: 'missing' });
  expect(steps).toEqual([]);
});

test('an event that is not in the log stores no position', async () => {
  const { request, steps } = setUp({ position: { epoch: '', seq: 0 } });
  expect(await endExecution(request)).toEqual({ outcome: 'not-appended' });
  expect(steps).toHaveLength(2);
});

test.each([
  ['finish', ['finish']],
  ['append', ['finish', 'append']],
  ['markEnd', ['finish', 'append', 'markEnd']],
] as const)('a failure of %s is thrown, and no later step is taken', async (failing, expected) => {
  const { request, steps } = setUp({ failing });
  await expect(endExecution(request)).rejects.toThrow(`${failing} failed`);
  expect(steps.map((step) => step.split(' ')[0])).toEqual(expected);
});

test('a row that ended before is completed without ending it again', async () => {
  const { request, steps } = setUp();
  expect(await recordEnd(rowOf(), request)).toEqual({ outcome: 'ended', position: POSITION });
  expect(steps.map((step) => step.split(' ')[0])).toEqual(['append', 'markEnd']);
  expect(await recordEnd(rowOf({ status: 'RUNNING' }), request)).toEqual({ outcome: 'not-appended' });
});
