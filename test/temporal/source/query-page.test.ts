// Results of the query `getStreamState` of workflows that do not use execstream are validated.
import { expect, test } from 'vitest';
import { DEFAULT_SIZE_LIMITS } from '../../../src/event/size-limits.ts';
import { readQueryPage } from '../../../src/temporal/source/query-page.ts';
import type { WorkflowRun } from '../../../src/temporal/source/temporal-client.ts';

const DAY = 24 * 60 * 60 * 1_000;
const run = {
  workflowId: 'w1',
  runId: 'r1',
  firstRunId: 'r1',
  attempt: 1,
  startedAt: Date.now() - 40 * DAY,
} as unknown as WorkflowRun;

test('an event with JSON nested deeper than 128 levels is replaced by a warning', () => {
  const args = JSON.parse('['.repeat(3_000) + ']'.repeat(3_000));
  const call = { toolCallId: 't', toolName: 'search', status: 'started' };
  const events = [
    { id: 1, type: 'tool_call', data: { ...call, args } },
    { id: 2, type: 'tool_call', data: { ...call, args: [[1]] } },
  ];
  const page = readQueryPage({ events, status: 'RUNNING' }, run, 0, DEFAULT_SIZE_LIMITS);
  expect(page.events.map(({ type }) => type)).toEqual(['warning', 'tool_call']);
});

test.each([undefined, 2 ** 40])(
  'the end of a workflow that ran for 40 days has its exact duration (%s)',
  (durationMs) => {
    const ts = new Date(run.startedAt + 40 * 24 * 3_600_000).toISOString();
    const data = { result: 1, ...(durationMs && { durationMs }) };
    const page = readQueryPage(
      { events: [{ id: 1, type: 'complete', ts, data }], status: 'SUCCESS' },
      run,
      0,
      DEFAULT_SIZE_LIMITS,
    );
    const expected = durationMs ?? 40 * 24 * 3_600_000;
    expect(page.events[0]).toMatchObject({ type: 'complete', data: { result: 1, durationMs: expected } });
  },
);

test.each(['complete', 'error'])(
  '%s keeps usage of another shape, and ends without usage that cannot be read',
  (type) => {
    const endOf = (usage: unknown) => {
      const data = { ...(type === 'error' && { message: 'm' }), usage };
      const page = { events: [{ id: 1, type, data }], status: 'RUNNING' };
      return readQueryPage(page, run, 0, DEFAULT_SIZE_LIMITS).events[0]!;
    };
    expect(endOf({ prompt_tokens: 1, completion_tokens: 2 })).toMatchObject({
      type,
      data: { usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 } },
    });
    expect(endOf({ prompt_tokens: -1 })).toMatchObject({ type });
    expect(endOf({ prompt_tokens: -1 }).data).not.toHaveProperty('usage');
  },
);

test('a result of a tool or of the workflow that does not fit is omitted, and a long error message is truncated', () => {
  const call = { toolCallId: 't', toolName: 'search', status: 'succeeded' };
  const pageOf = (type: string, data: object) =>
    readQueryPage({ events: [{ id: 1, type, data }], status: 'RUNNING' }, run, 0, DEFAULT_SIZE_LIMITS);
  const large = 'x'.repeat(200_000);
  expect(pageOf('tool_call', { ...call, result: large }).events[0]).toMatchObject({
    type: 'tool_call',
    data: { ...call, resultOmitted: true, resultBytes: 200_002 },
  });
  expect(pageOf('complete', { result: large }).events[0]).toMatchObject({
    type: 'complete',
    data: { resultOmitted: true, resultBytes: 200_002 },
  });
  const [failed] = pageOf('error', { message: large }).events;
  expect(failed).toMatchObject({ type: 'error', data: { status: 'FAILED' } });
  expect((failed!.data as { message: string }).message).toMatch(/^x{8000}…$/);
  const [structured] = pageOf('error', { error: { message: 'no quota' }, code: { id: 7 } }).events;
  expect(structured).toMatchObject({ data: { message: 'no quota', code: '{"id":7}' } });
});

test('the fields of an event stay in the order in which the workflow reported them', () => {
  const data = { args: { b: 1, a: 2 }, status: 'started', toolName: 'search', toolCallId: 't' };
  const events = [{ seq: 1, type: 'tool_call', ts: new Date().toISOString(), data }];
  const page = readQueryPage({ epoch: 'r1', next: 2, events }, run, 0, DEFAULT_SIZE_LIMITS);
  expect(JSON.stringify(page.events[0]!.data)).toBe(JSON.stringify(data));
});

test('an event that does not fit is replaced by a warning', () => {
  const data = { code: 'C', message: 'x'.repeat(30_000) };
  const events = [{ id: 1, type: 'warning', data }];
  const page = readQueryPage({ events, status: 'RUNNING' }, run, 0, DEFAULT_SIZE_LIMITS);
  expect(page.events).toMatchObject([{ type: 'warning', data: { code: 'BAD_EVENT' } }]);
});
