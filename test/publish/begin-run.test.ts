// The beginning of a run: the fields of its row, its start event, and the inputs that are rejected.
import { describe, expect, test } from 'vitest';
import { type BeginRun, prepareRun } from '../../src/publish/begin-run.ts';
import { createRedactor } from '../../src/redact/redaction.ts';

const prepare = (run: BeginRun) => prepareRun(run, createRedactor()());
const row = { attempt: undefined, expectsHeartbeats: true };

describe('a run', () => {
  test.each<[BeginRun, object, object]>([
    [
      { kind: 'agent', id: 'a1' },
      { kind: 'agent', mode: 'TEXT' },
      { type: 'agent_start', data: { agentId: 'a1' } },
    ],
    [
      { kind: 'agent', id: 'a1', name: 'Writer', mode: 'STRUCTURED', action: 'write' },
      { kind: 'agent', mode: 'STRUCTURED', name: 'Writer' },
      { type: 'agent_start', data: { agentId: 'Writer', action: 'write' } },
    ],
    [
      { kind: 'agent', id: 'a1', name: 'Writer', agentId: 'w', attempt: 2 },
      { kind: 'agent', mode: 'TEXT', name: 'Writer', attempt: 2 },
      { type: 'agent_start', data: { agentId: 'w' } },
    ],
    [
      { kind: 'task', id: 'k1' },
      { kind: 'task', mode: 'TEXT' },
      { type: 'task_start', data: { taskId: 'k1' } },
    ],
    [
      { kind: 'task', id: 'k1', name: 'Index', taskId: 'i', parentId: 'w1', tenant: 't' },
      { kind: 'task', mode: 'TEXT', name: 'Index', parentId: 'w1', tenant: 't' },
      { type: 'task_start', data: { taskId: 'i' } },
    ],
    [
      { kind: 'workflow', id: 'w1', name: 'Report', input: { n: 1 }, runId: 'r' },
      { kind: 'workflow', mode: 'STRUCTURED', name: 'Report', input: { n: 1 }, runId: 'r' },
      { type: 'workflow_start', data: { workflowId: 'w1', workflowType: 'Report', runId: 'r' } },
    ],
    [
      { kind: 'workflow', id: 'w1', workflowId: 'w', workflowType: 'T', runId: 'r', mode: 'TEXT' },
      { kind: 'workflow', mode: 'TEXT', workflowId: 'w', runId: 'r' },
      { type: 'workflow_start', data: { workflowId: 'w', workflowType: 'T', runId: 'r' } },
    ],
  ])('of %j has the fields of its row and its start event', (run, fields, startEvent) => {
    const prepared = prepare(run);
    const { attempt, ...rest } = { ...row, id: run.id, ...fields } as { attempt?: number };
    expect(prepared.execution).toStrictEqual(attempt === undefined ? rest : { ...rest, attempt });
    expect(prepared.startEvent).toStrictEqual({ ...startEvent, ts: expect.stringMatching(/Z$/) });
  });

  test('of a workflow without a run id gets a random one', () => {
    const runIdOf = () =>
      (prepare({ kind: 'workflow', id: 'w1' }).startEvent.data as { runId: string }).runId;
    expect(runIdOf()).toMatch(/^[0-9a-f-]{36}$/);
    expect(runIdOf()).not.toBe(runIdOf());
  });

  test('has a copy of its input, which later changes by the caller do not reach', () => {
    const input = { list: [1] };
    const { execution } = prepare({ kind: 'agent', id: 'a1', input });
    input.list.push(2);
    expect(execution.input).toEqual({ list: [1] });
  });

  test('has no secret in its name, its input and its start event', () => {
    const secret = `sk-ant-api03-${'a1B2'.repeat(20)}`;
    const prepared = prepare({ kind: 'agent', id: 'a1', name: secret, action: secret, input: [secret] });
    expect(JSON.stringify(prepared)).not.toContain(secret);
    expect(prepared.execution.name).toContain('[redacted]');
  });
});

test.each<[string, Partial<Record<keyof BeginRun, unknown>>, string]>([
  ['kind', { kind: 'robot' }, 'kind: expected workflow, agent, task, got "robot"'],
  ['mode', { mode: 'JSON' }, 'mode: expected TEXT or STRUCTURED, got "JSON"'],
  ['attempt of 0', { attempt: 0 }, 'attempt: expected a positive integer, got 0'],
  ['fraction as attempt', { attempt: 1.5 }, 'attempt: expected a positive integer, got 1.5'],
  [
    'attempt above the safe integers',
    { attempt: 2 ** 53 },
    `attempt: expected a positive integer, got ${2 ** 53}`,
  ],
  ['input', { input: 1n }, 'input: expected JSON, got the BigInt 1; pass it as a string'],
])('an invalid %s is rejected, and the message names the field', (_, fields, message) => {
  expect(() => prepare({ kind: 'agent', id: 'a1', ...fields } as BeginRun)).toThrow(
    expect.objectContaining({ code: 'BAD_USER_INPUT', message: expect.stringContaining(message) }),
  );
});

test('a start event that is too large is rejected', () => {
  expect(() => prepare({ kind: 'agent', id: 'a1', action: 'x'.repeat(10_000_000) })).toThrow(
    expect.objectContaining({ code: 'EVENT_TOO_LARGE', message: expect.stringContaining('agent_start') }),
  );
});
