// Sharing the calls that describe the current run of a workflow.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ExecutionSummary } from '../../../src/execution/store.ts';
import { createCurrentRuns } from '../../../src/temporal/source/current-runs.ts';
import type { WorkflowRun } from '../../../src/temporal/source/temporal-client.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const ROW = { id: 'w' } as ExecutionSummary;

function setUp() {
  const calls: ((run: string | Error) => void)[] = [];
  const runs = createCurrentRuns(
    () =>
      new Promise((resolve, reject) => {
        calls.push((run) => (run instanceof Error ? reject(run) : resolve({ runId: run } as WorkflowRun)));
      }),
  );
  return { runs, calls };
}

test('a recent response is shared for a second, and a failure as well', async () => {
  const { runs, calls } = setUp();
  const both = [runs.recent(ROW), runs.recent(ROW)];
  calls[0]!('r1');
  expect((await Promise.all(both)).map(({ runId }) => runId)).toEqual(['r1', 'r1']);
  vi.advanceTimersByTime(1_000);
  expect((await runs.recent(ROW)).runId).toBe('r1');
  vi.advanceTimersByTime(1);
  const failed = runs.recent(ROW);
  calls[1]!(new Error('unavailable'));
  await expect(failed).rejects.toThrow('unavailable');
  await expect(runs.recent(ROW)).rejects.toThrow('unavailable');
  expect(calls).toHaveLength(2);
});

test('a request for the run now does not get the response of a call that had started before', async () => {
  const { runs, calls } = setUp();
  const before = runs.recent(ROW);
  const now = [runs.read(ROW), runs.read(ROW)];
  expect(calls).toHaveLength(1);
  calls[0]!('r1');
  expect((await before).runId).toBe('r1');
  await vi.waitFor(() => expect(calls).toHaveLength(2));
  calls[1]!('r2');
  expect((await Promise.all(now)).map(({ runId }) => runId)).toEqual(['r2', 'r2']);
  const later = runs.read(ROW);
  calls[2]!('r3');
  expect((await later).runId).toBe('r3');
});
