// The end of a run: the order of its steps, and what is recorded when the row or the log has its own end.
import { afterEach, expect, test, vi } from 'vitest';
import type { NewEvent } from '../../src/event/events.ts';
import { DEFAULT_SIZE_LIMITS } from '../../src/event/size-limits.ts';
import type { Execution, ExecutionEnd } from '../../src/execution/store.ts';
import type { Position } from '../../src/lifecycle/end-execution.ts';
import { recordRunEnd } from '../../src/publish/record-end.ts';
import { foldLog } from './fold.ts';
import { createRig } from './rig.ts';

afterEach(() => {
  vi.useRealTimers();
});

const POSITION: Position = { epoch: 'epoch0000000', seq: 7 };
const SUCCESS: ExecutionEnd = { status: 'SUCCESS', result: 'done' };
const STARTED_AT = new Date(0);

function rowOf(changes: Partial<Execution> = {}): Execution {
  const finishedAt = new Date(1_000);
  return {
    attempt: 1,
    status: 'SUCCESS',
    result: 'done',
    startedAt: STARTED_AT,
    finishedAt,
    ...changes,
  } as Execution;
}

/** Records an end over an outbox and a row that note each call. */
function setUp({
  row,
  isFlushed = true,
  endedAt,
}: {
  row?: Execution;
  isFlushed?: boolean;
  endedAt?: Position;
}) {
  const steps: string[] = [];
  const pushed: NewEvent[] = [];
  const outcome = recordRunEnd(SUCCESS, {
    outbox: {
      position: POSITION,
      push(event) {
        steps.push('push');
        pushed.push(event);
      },
      async flush() {
        steps.push('flush');
        return isFlushed;
      },
    },
    row: {
      ends: {
        async finish() {
          steps.push('finish');
          return row;
        },
        async markEnd({ seq }) {
          steps.push(`markEnd ${seq}`);
        },
      },
    },
    resultIsContent: false,
    rowBegin: Promise.resolve({ attempt: 1, startedAt: STARTED_AT }),
    flushMs: 10,
    sizes: DEFAULT_SIZE_LIMITS,
    onRowEnded: () => steps.push('row ended'),
    endedAt: () => endedAt,
  });
  return { outcome, steps, pushed };
}

test('queued events are flushed, then the row ends, then the terminal event is appended and its position stored', async () => {
  const { outcome, steps, pushed } = setUp({ row: rowOf() });
  expect(await outcome).toEqual({ outcome: 'ended', position: POSITION });
  expect(steps).toEqual(['flush', 'finish', 'row ended', 'push', 'flush', 'markEnd 7']);
  expect(pushed).toMatchObject([{ type: 'complete', data: { result: 'done', durationMs: 1_000 } }]);
});

test('the terminal event carries the time at which it is appended, not that of the row', async () => {
  vi.useFakeTimers({ now: Date.parse('2030-01-01T00:00:00.000Z') });
  const { outcome, pushed } = setUp({ row: rowOf() });
  await outcome;
  expect(pushed[0]!.ts).toBe('2030-01-01T00:00:00.000Z');
});

test('a deleted row yields a terminal event made from the end itself', async () => {
  const { outcome, pushed } = setUp({});
  expect(await outcome).toMatchObject({ outcome: 'ended' });
  expect(pushed).toMatchObject([{ type: 'complete', data: { status: 'SUCCESS', result: 'done' } }]);
});

test('a run whose row was deleted while it ran still ends its stream', async () => {
  const { publisher, log, store } = createRig();
  const run = await publisher.begin({ kind: 'agent', id: 'a1' });
  store.finish = async () => undefined;
  expect(await run.complete('done')).toBe(true);
  expect((await foldLog(log.real, 'a1')).ends).toMatchObject([
    { type: 'complete', data: { result: 'done' } },
  ]);
});

test('a row of a newer attempt is left alone, and nothing is appended', async () => {
  const { outcome, steps } = setUp({ row: rowOf({ attempt: 2 }) });
  expect(await outcome).toEqual({ outcome: 'superseded', attempt: 2 });
  expect(steps).toEqual(['flush', 'finish']);
});

test('a terminal event that another process appended gives its position', async () => {
  const { outcome, steps } = setUp({ row: rowOf(), isFlushed: false, endedAt: { ...POSITION, seq: 5 } });
  expect(await outcome).toMatchObject({ outcome: 'ended', position: { seq: 5 } });
  expect(steps.at(-1)).toBe('markEnd 5');
});

test('a terminal event that has not reached the log stores no position', async () => {
  const { outcome, steps } = setUp({ row: rowOf(), isFlushed: false });
  expect(await outcome).toEqual({ outcome: 'not-appended' });
  expect(steps.at(-1)).toBe('flush');
});
