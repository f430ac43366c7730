// The catalogue and the validation of events' data (PROTOCOL.md, "Events").
import { describe, expect, test } from 'vitest';
import {
  CATALOGUE,
  EVENT_TYPES,
  type EventData,
  type EventType,
  isTerminal,
} from '../../src/event/events.ts';
import { checkEventData, EVENT_DATA } from '../../src/event/validation.ts';

/** The fullest data of each type. */
const FULL: { [T in EventType]: EventData[T] } = {
  workflow_start: { workflowId: 'w', workflowType: 'Digest', runId: 'r' },
  workflow_status: {
    status: 'RUNNING',
    step: 's',
    usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3, model: 'm', costUsd: 0.1 },
  },
  agent_start: { agentId: 'a', action: 'write', executionId: 'e' },
  agent_status: { status: 'WAITING', step: 's', executionId: 'e' },
  task_start: { taskId: 't', summary: 'Do it', executionId: 'e', executionKind: 'WORKFLOW' },
  task_status: {
    ...{ status: 'PAUSED', step: 's', taskId: 't', executionId: 'e', executionKind: 'WORKFLOW' },
    ...{ taskAttempt: 2, nextAttemptAt: '2026-01-01T00:00:00.000Z' },
    ...{ progress: { page: 3 }, progressOmitted: false, progressBytes: 0 },
  },
  tool_call: {
    toolCallId: 'c',
    toolName: 'read',
    status: 'failed',
    args: { path: ['a', 1, null] },
    result: [],
    error: 'no such file',
    durationMs: 5,
  },
  llm_chunk: { content: ' \r\n', topic: 'tokens' },
  structured_delta: {
    patch: [
      { op: 'replace', path: '', value: null },
      { op: 'move', path: '/a', from: '/b' },
    ],
  },
  custom: { name: 'n', value: [1], valueOmitted: false, valueBytes: 3 },
  warning: { code: 'X', message: 'm' },
  reset: { reason: 'overflow' },
  gap: { fromSeq: 1, toSeq: 2, text: 't', value: {} },
  error: { status: 'TIMED_OUT', message: 'm', code: 'c', durationMs: 0 },
  complete: { status: 'SUCCESS', result: 'r', resultOmitted: false, durationMs: 9 },
};

describe('the catalogue', () => {
  test('has a schema for each of its types', () => {
    expect(Object.keys(EVENT_DATA).sort()).toEqual([...EVENT_TYPES].sort());
  });

  test('has two terminal types, which occur in all streams', () => {
    expect(EVENT_TYPES.filter(isTerminal)).toEqual(['error', 'complete']);
    for (const type of EVENT_TYPES.filter(isTerminal)) expect(CATALOGUE[type]).toHaveLength(3);
  });
});

describe('the validation of data', () => {
  test.each(EVENT_TYPES)('accepts %s with all fields, unchanged', (type) => {
    expect(checkEventData(type, FULL[type])).toEqual(FULL[type]);
  });

  test.each(EVENT_TYPES)('keeps the order in which the fields of %s are', (type) => {
    const reversed = Object.fromEntries(Object.entries(FULL[type]).reverse());
    expect(JSON.stringify(checkEventData(type, reversed))).toBe(JSON.stringify(reversed));
  });

  test.each([
    ['llm_chunk', {}, /llm_chunk: data\.content: /],
    ['llm_chunk', { content: 1 }, /data\.content/],
    ['llm_chunk', { content: 'x', extra: 1 }, /extra/],
    ['tool_call', { toolCallId: 'c', toolName: 't', status: 'running' }, /data\.status/],
    ['structured_delta', { patch: [{ op: 'append', path: '/a' }] }, /data\.patch\.0\.op/],
    ['complete', { status: 'FAILED', durationMs: 1 }, /data\.status/],
    ['error', { status: 'FAILED', message: 'm', durationMs: -1 }, /data\.durationMs/],
    ['workflow_status', { status: 'RUNNING', usage: { inputTokens: 'x' } }, /data\.usage\.inputTokens/],
    ['warning', null, /warning: data/],
  ] as const)('rejects %s with %j, and the message names the field', (type, data, message) => {
    expect(() => checkEventData(type, data)).toThrow(message);
    expect(() => checkEventData(type, data)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
  });

  test('rejects a type that is not in the catalogue, even a property that every object has', () => {
    for (const type of ['nonsense', 'toString', '__proto__']) {
      expect(() => checkEventData(type as EventType, {})).toThrow(
        expect.objectContaining({ code: 'BAD_USER_INPUT', message: `unknown event type "${type}"` }),
      );
    }
  });

  test('shows up to 40 characters of an unknown type', () => {
    expect(() => checkEventData('x'.repeat(1_000) as EventType, {})).toThrow(
      expect.objectContaining({ message: `unknown event type "${'x'.repeat(40)}"` }),
    );
  });
});
