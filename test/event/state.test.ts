// The laws of the reducer, over arbitrary legal event sequences; fast-check prints the seed of a failure.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EventType, ExecutionEvent, JsonValue, PatchOperation } from '../../src/event/events.ts';
import { type ExecutionState, initialState, reduce } from '../../src/event/state.ts';
import { deepFreeze } from '../support/deep-freeze.ts';
import { type EventSequence, EXECUTION_ID, eventSequences } from '../support/event-sequences.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { applyJsonPatch, type Json, type Operation } from '../support/rfc6902.ts';

const RUNS = { numRuns: propertyRuns(2_000) };

/** Reduces events; every state in between is frozen, so that a change of one fails. */
function reduceAll(state: ExecutionState, events: readonly ExecutionEvent[]): ExecutionState {
  return events.reduce((each, event) => deepFreeze(reduce(each, event)), state);
}

function statesOf({ kind, mode, events }: EventSequence): ExecutionState[] {
  const states = [deepFreeze(initialState(kind, mode))];
  for (const event of events) states.push(deepFreeze(reduce(states.at(-1)!, event)));
  return states;
}

/** A sequence and a place in it, as a fraction. */
const cutSequences = fc.tuple(eventSequences, fc.double({ min: 0, max: 1, noNaN: true }));

function cutAt(sequence: EventSequence, fraction: number) {
  const n = Math.round(sequence.events.length * fraction);
  return { before: sequence.events.slice(0, n), after: sequence.events.slice(n) };
}

const seqOf = ({ cursor }: ExecutionState) => Number(cursor.split('-')[0]);
const epochOf = ({ cursor }: ExecutionState) => cursor.split('-')[1];
const isServerReset = ({ type, seq }: ExecutionEvent) => type === 'reset' && seq === 0;

describe('laws', () => {
  test('1, prefix: reducing 1..n and then n+1..m equals reducing 1..m', () => {
    fc.assert(
      fc.property(cutSequences, ([sequence, fraction]) => {
        const { before, after } = cutAt(sequence, fraction);
        const start = initialState(sequence.kind, sequence.mode);
        expect(reduceAll(reduceAll(start, before), after)).toEqual(reduceAll(start, sequence.events));
      }),
      RUNS,
    );
  });

  test('2, snapshot: a state written as JSON at n, followed by n+1..m, equals reducing 1..m', () => {
    fc.assert(
      fc.property(cutSequences, ([sequence, fraction]) => {
        const { before, after } = cutAt(sequence, fraction);
        const start = initialState(sequence.kind, sequence.mode);
        const snapshot = JSON.parse(JSON.stringify(reduceAll(start, before))) as ExecutionState;
        expect(reduceAll(snapshot, after)).toEqual(reduceAll(start, sequence.events));
      }),
      RUNS,
    );
  });

  test('3, idempotence: an event at or below the cursor of the same epoch changes nothing', () => {
    fc.assert(
      fc.property(eventSequences, (sequence) => {
        statesOf(sequence).forEach((state, n) => {
          for (const event of sequence.events.slice(0, n)) {
            const isOld = event.id.endsWith(`-${epochOf(state)}`) && event.seq <= seqOf(state);
            if (isOld && !isServerReset(event)) expect(reduce(state, event)).toBe(state);
          }
        });
      }),
      RUNS,
    );
  });

  test('3, idempotence: a sequence in which every event is repeated adds up to the same state', () => {
    fc.assert(
      fc.property(eventSequences, ({ kind, mode, events }) => {
        const start = initialState(kind, mode);
        const repeated = events.flatMap((event) => [event, event]);
        expect(reduceAll(start, repeated)).toEqual(reduceAll(start, events));
      }),
      RUNS,
    );
  });

  test('4, a reset or a new epoch clears text, value, tool calls and end, and keeps the subject', () => {
    fc.assert(
      fc.property(eventSequences, (sequence) => {
        const states = statesOf(sequence);
        sequence.events.forEach((event, i) => {
          const [before, after] = [states[i]!, states[i + 1]!];
          const isNewEpoch = before.cursor !== '' && epochOf(before) !== epochOf(after);
          if (before === after || !(event.type === 'reset' || isNewEpoch)) return;
          // The event itself may be the first content of the new epoch.
          const { kind, mode } = sequence;
          const expected = reduce({ ...initialState(kind, mode), subject: before.subject }, event);
          const { text, value, completeness, toolCalls, end, subject } = expected;
          expect(after).toMatchObject({ completeness, toolCalls });
          expect([after.text, after.value, after.end]).toEqual([text, value, end]);
          expect(after.subject).toBe(subject);
          if (event.type === 'reset') expect(after).toMatchObject({ toolCalls: [], completeness: 'full' });
        });
      }),
      RUNS,
    );
  });

  /** What an event may change, beside cursor and attempt; everything else keeps its identity. */
  const CHANGED_BY: Record<EventType, readonly (keyof ExecutionState)[]> = {
    workflow_start: ['subject', 'status', 'step'],
    agent_start: ['subject', 'status', 'step', 'children'],
    task_start: ['subject', 'status', 'step', 'children'],
    workflow_status: ['status', 'step', 'usage'],
    agent_status: ['status', 'step', 'children'],
    task_status: ['status', 'step', 'children'],
    tool_call: ['toolCalls'],
    llm_chunk: ['text'],
    structured_delta: ['value', 'completeness'],
    custom: [],
    warning: ['warnings', 'text', 'completeness'],
    reset: ['text', 'value', 'toolCalls', 'end', 'completeness'],
    gap: ['text', 'value', 'completeness'],
    complete: ['status', 'step', 'usage', 'end', 'text', 'value', 'completeness'],
    error: ['status', 'step', 'usage', 'end'],
  };

  test('5, structural sharing: a part that an event does not concern keeps its identity', () => {
    fc.assert(
      fc.property(eventSequences, (sequence) => {
        const states = statesOf(sequence);
        sequence.events.forEach((event, i) => {
          const [before, after] = [states[i]!, states[i + 1]!];
          if (before === after || (before.cursor !== '' && epochOf(before) !== epochOf(after))) return;
          const changed: readonly string[] = ['cursor', 'attempt', ...CHANGED_BY[event.type]];
          for (const key of Object.keys(before) as (keyof ExecutionState)[]) {
            if (!changed.includes(key)) expect(after[key], `${event.type}: ${key}`).toBe(before[key]);
          }
          for (const list of ['toolCalls', 'children'] as const) {
            if (event.type === 'reset') continue;
            const replaced = before[list].filter((item, n) => after[list][n] !== item);
            expect(replaced.length, list).toBeLessThanOrEqual(1);
          }
        });
      }),
      RUNS,
    );
  });

  test('5, structural sharing: a patch keeps the identity of the members that no operation names', () => {
    fc.assert(
      fc.property(eventSequences, (sequence) => {
        const states = statesOf(sequence);
        sequence.events.forEach((event, i) => {
          if (event.type !== 'structured_delta') return;
          const [before, after] = [states[i]!.value, states[i + 1]!.value];
          if (!isObject(before) || !isObject(after) || Array.isArray(after)) return;
          const named = event.data.patch.flatMap(({ path, from = path }) => [path, from]);
          if (named.includes('')) return;
          for (const [key, member] of Object.entries(before)) {
            if (named.some((path) => path.split('/')[1] === key)) continue;
            expect((after as { [key: string]: JsonValue })[key]).toBe(member);
          }
        });
      }),
      RUNS,
    );
  });

  test('5, a chunk costs its own length: 50,000 chunks of 100 characters take seconds, not minutes', () => {
    let state = initialState('agent', 'TEXT');
    for (let seq = 1; seq <= 50_000; seq += 1) {
      state = reduce(state, event(seq, 'llm_chunk', { content: 'x'.repeat(100) }));
    }
    expect(state.text).toHaveLength(5_000_000);
  }, 20_000);

  test('6, a patch that does not apply makes the value partial until the next whole value; nothing throws', () => {
    fc.assert(
      fc.property(eventSequences, (sequence) => {
        const states = statesOf(sequence);
        const expected = contentsOf(sequence);
        states.forEach((state, i) => {
          const { text, value, completeness } = state;
          expect({ text, value, completeness }, `after ${i} events`).toEqual(expected[i]);
        });
      }),
      RUNS,
    );
  });
});

interface Content {
  text: string | undefined;
  value: Json | undefined;
  completeness: 'full' | 'partial';
}

/** The content after each event, by an implementation that shares nothing with the product's. */
function contentsOf({ kind, mode, events }: EventSequence): Content[] {
  const isText = kind !== 'workflow' && mode === 'TEXT';
  const isValue = kind !== 'workflow' && mode === 'STRUCTURED';
  const empty: Content = {
    text: isText ? '' : undefined,
    value: isValue ? null : undefined,
    completeness: 'full',
  };
  const contents = [empty];
  let [seq, epoch] = [0, ''];
  for (const each of events) {
    const eventEpoch = each.id.split('-')[1]!;
    const isNewEpoch = epoch !== '' && eventEpoch !== epoch;
    const last = isNewEpoch ? empty : contents.at(-1)!;
    const isOld = epoch === eventEpoch && each.seq <= seq && !isServerReset(each);
    contents.push(isOld ? last : contentAfter(last, each, empty, kind === 'workflow'));
    if (!isOld) [seq, epoch] = [each.seq, eventEpoch];
  }
  return contents;
}

function contentAfter(
  content: Content,
  { type, data }: ExecutionEvent,
  empty: Content,
  isWorkflow: boolean,
): Content {
  const isText = content.text !== undefined;
  const isValue = content.value !== undefined;
  const lost: Content = { ...content, ...(isText && { text: '' }), completeness: 'partial' };
  if (type === 'reset') return empty;
  if (type === 'gap') {
    if (data.text !== undefined) return { ...empty, text: data.text };
    return data.value === undefined ? lost : { ...empty, value: data.value };
  }
  if (type === 'warning' && data.code === 'PREFIX_LOST' && isText) return lost;
  if (type === 'llm_chunk') return { ...content, text: (content.text ?? '') + data.content };
  if (type === 'structured_delta') {
    const isWhole = data.patch[0]!.path === '' && ['add', 'replace'].includes(data.patch[0]!.op);
    const before = content.value ?? null;
    if (content.completeness === 'partial' && !isWhole) return { ...content, value: before };
    try {
      const value = applyJsonPatch(before, data.patch as readonly Operation[]);
      return { ...content, value, completeness: 'full' };
    } catch {
      return { ...content, value: before, completeness: 'partial' };
    }
  }
  if (type === 'complete' && !isWorkflow && content.completeness === 'partial' && data.result !== undefined) {
    if (isValue) return { ...empty, value: data.result };
    if (isText && typeof data.result === 'string') return { ...empty, text: data.result };
  }
  return content;
}

function event<T extends EventType>(seq: number, type: T, data: ExecutionEvent<T>['data'], epoch = 'e1') {
  const envelope = { id: `${seq}-${epoch}`, seq, ts: '', executionId: EXECUTION_ID, attempt: 1 };
  return { ...envelope, type, data } as ExecutionEvent;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** The state after events with consecutive seqs. */
function stateAfter(
  start: ExecutionState,
  ...events: { [T in EventType]: [T, ExecutionEvent<T>['data']] }[EventType][]
): ExecutionState {
  return reduceAll(
    start,
    events.map(([type, data], i) => event(i + 1, type, data)),
  );
}

describe('the parts of the state', () => {
  test('an execution without events has the content of its mode and no status; a workflow has no content', () => {
    const rest = { cursor: '', attempt: 0, toolCalls: [], children: [], warnings: [] };
    expect(initialState('agent', 'TEXT')).toEqual({ kind: 'agent', text: '', completeness: 'full', ...rest });
    expect(initialState('task', 'STRUCTURED')).toEqual({
      kind: 'task',
      value: null,
      completeness: 'full',
      ...rest,
    });
    expect(initialState('agent')).toMatchObject({ text: '', value: null });
    expect(initialState('workflow', 'TEXT')).toEqual({ kind: 'workflow', completeness: 'full', ...rest });
  });

  test('a workflow has a text and a value from their first events until a reset, and its result is neither', () => {
    const start = initialState('workflow');
    const text = ['llm_chunk', { content: 'a', topic: 't' }] as never;
    const patch = ['structured_delta', { patch: [{ op: 'add', path: '', value: 1 }] }] as never;
    const complete = ['complete', { status: 'SUCCESS', durationMs: 1, result: 'r' }] as never;
    expect(stateAfter(start, text, text, patch)).toMatchObject({
      text: 'aa',
      value: 1,
      completeness: 'full',
    });
    const reset = ['reset', { reason: 'run' }] as ['reset', { reason: 'run' }];
    const cleared = stateAfter(start, text, patch, reset);
    expect([cleared.text, cleared.value, cleared.completeness]).toEqual([undefined, undefined, 'full']);
    const gap = ['gap', { fromSeq: 2, toSeq: 2 }] as ['gap', { fromSeq: number; toSeq: number }];
    const partial = stateAfter(start, text, gap, text, complete);
    expect(partial).toMatchObject({ text: 'a', completeness: 'partial' });
    expect(stateAfter(start, complete).text).toBeUndefined();
  });

  test('start, status and terminal events set subject, status, step, usage and end', () => {
    const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3 };
    const begun = stateAfter(
      initialState('agent', 'TEXT'),
      ['agent_start', { agentId: 'writer', action: 'write' }],
      ['agent_status', { status: 'WAITING', step: 'review' }],
    );
    expect(begun).toMatchObject({
      cursor: '2-e1',
      attempt: 1,
      status: 'WAITING',
      step: 'review',
      subject: { agentId: 'writer', action: 'write' },
    });
    const data = { status: 'FAILED', message: 'm', usage, durationMs: 1 } as const;
    const ended = reduce(begun, event(3, 'error', data));
    expect(ended).toMatchObject({ status: 'FAILED', step: undefined, usage, end: data });
  });

  test('tool calls are in start order and merged by id; one that starts again loses its outcome', () => {
    const call = { toolCallId: 't1', toolName: 'search' } as const;
    const state = stateAfter(
      initialState('agent', 'TEXT'),
      ['tool_call', { ...call, status: 'started', args: { q: 1 } }],
      ['tool_call', { toolCallId: 't2', toolName: 'fetch', status: 'started' }],
      ['tool_call', { ...call, status: 'failed', error: 'timeout', durationMs: 5 }],
    );
    expect(state.toolCalls).toEqual([
      { id: 't1', name: 'search', status: 'failed', args: { q: 1 }, error: 'timeout', durationMs: 5 },
      { id: 't2', name: 'fetch', status: 'started' },
    ]);
    const again = reduce(state, event(4, 'tool_call', { ...call, status: 'started' }));
    expect(again.toolCalls[0]).toEqual({ id: 't1', name: 'search', status: 'started' });
    expect(again.toolCalls[1]).toBe(state.toolCalls[1]);
  });

  test('keep the flags of omitted arguments, unless another event of the call carries the arguments', () => {
    const call = { toolCallId: 't1', toolName: 'search' };
    const omitted = { argsOmitted: true, argsBytes: 90_000 };
    const started = reduce(
      initialState('agent'),
      event(1, 'tool_call', { ...call, status: 'started', ...omitted }),
    );
    expect(started.toolCalls).toEqual([{ id: 't1', name: 'search', status: 'started', ...omitted }]);
    const failed = reduce(started, event(2, 'tool_call', { ...call, status: 'failed', args: [1] }));
    expect(failed.toolCalls).toEqual([{ id: 't1', name: 'search', status: 'failed', args: [1] }]);
    const known = reduce(failed, event(3, 'tool_call', { ...call, status: 'succeeded', ...omitted }));
    expect(known.toolCalls).toEqual([{ id: 't1', name: 'search', status: 'succeeded', args: [1] }]);
  });

  test('the children of a workflow are in start order, with and without an execution id', () => {
    const state = stateAfter(
      initialState('workflow'),
      ['workflow_start', { workflowId: 'w', workflowType: 'report', runId: 'r' }],
      ['agent_start', { agentId: 'writer', executionId: 'a1' }],
      ['task_start', { taskId: 'upload' }],
      ['task_status', { status: 'RUNNING', taskId: 'index', executionId: 'k1' }],
      ['agent_status', { status: 'WAITING', step: 'review', executionId: 'a1' }],
      ['task_status', { status: 'SUCCESS', taskId: 'upload' }],
      ['agent_status', { status: 'RUNNING' }],
    );
    expect(state.children).toEqual([
      { executionId: 'a1', kind: 'agent', name: 'writer', status: 'WAITING', step: 'review' },
      { kind: 'task', name: 'upload', status: 'SUCCESS' },
      { executionId: 'k1', kind: 'task', name: 'index', status: 'RUNNING' },
    ]);
    expect(state).toMatchObject({ status: 'RUNNING', subject: { workflowType: 'report' } });
  });

  test('children without an execution id are distinguished by kind and name', () => {
    const state = stateAfter(
      initialState('workflow'),
      ['task_start', { taskId: 'index' }],
      ['task_start', { taskId: 'upload' }],
      ['agent_start', { agentId: 'upload' }],
      ['task_status', { status: 'PAUSED', taskId: 'upload' }],
    );
    expect(state.children).toEqual([
      { kind: 'task', name: 'index', status: 'RUNNING' },
      { kind: 'task', name: 'upload', status: 'PAUSED' },
      { kind: 'agent', name: 'upload', status: 'RUNNING' },
    ]);
  });

  test('a child workflow has its kind, and its execution id from the moment it has started', () => {
    const child = { taskId: 'delivery#d', executionKind: 'WORKFLOW' } as const;
    const announced = stateAfter(
      initialState('workflow'),
      ['task_start', { ...child, summary: 'Deliver it' }],
      ['task_start', { taskId: 'delivery#d' }],
    );
    const task = { kind: 'task', name: 'delivery#d', status: 'RUNNING' };
    const workflow = { ...task, kind: 'workflow', summary: 'Deliver it' };
    expect(announced.children).toEqual([workflow, task]);
    const started = reduce(
      announced,
      event(3, 'task_status', { ...child, status: 'RUNNING', executionId: 'd' }),
    );
    expect(started.children).toEqual([{ ...workflow, executionId: 'd' }, task]);
    // A status without the kind keeps it; another child with the same name has another execution id.
    const later = reduce(started, event(4, 'task_status', { status: 'SUCCESS', executionId: 'd' }));
    const other = reduce(later, event(5, 'task_start', { ...child, executionId: 'e' }));
    expect(other.children).toEqual([
      { ...workflow, executionId: 'd', status: 'SUCCESS' },
      task,
      { kind: 'workflow', name: 'delivery#d', executionId: 'e', status: 'RUNNING' },
    ]);
  });

  test('a child keeps its execution id if a later event has only its name', () => {
    const state = stateAfter(
      initialState('workflow'),
      ['task_start', { taskId: 'index', executionId: 'k1' }],
      ['task_status', { status: 'WAITING', step: 'lock', taskId: 'index' }],
      ['task_status', { status: 'RUNNING', executionId: 'k1' }],
    );
    expect(state.children).toStrictEqual([
      { kind: 'task', name: 'index', executionId: 'k1', status: 'RUNNING', step: undefined },
    ]);
  });

  test('a child that starts again is running and has no step', () => {
    const state = stateAfter(
      initialState('workflow'),
      ['agent_status', { status: 'WAITING', step: 'review', executionId: 'a1' }],
      ['agent_start', { agentId: 'writer', executionId: 'a1' }],
    );
    expect(state.children).toEqual([{ executionId: 'a1', kind: 'agent', name: 'writer', status: 'RUNNING' }]);
  });

  test('a task has its attempt, the time of the next one, and the progress that it reported last', () => {
    const at = '2026-01-01T00:01:00.000Z';
    const task = { kind: 'task', name: 'index' };
    const index = { taskId: 'index' };
    const running = stateAfter(
      initialState('workflow'),
      ['task_start', index],
      ['task_status', { ...index, status: 'RUNNING', taskAttempt: 1, progress: { page: 3 } }],
    );
    expect(running.children).toEqual([{ ...task, status: 'RUNNING', taskAttempt: 1, progress: { page: 3 } }]);
    const failed = reduce(
      running,
      event(3, 'task_status', { ...index, status: 'WAITING', taskAttempt: 2, nextAttemptAt: at }),
    );
    const known = { ...task, taskAttempt: 2, progress: { page: 3 } };
    expect(failed.children).toEqual([{ ...known, status: 'WAITING', nextAttemptAt: at }]);
    const ended = reduce(failed, event(4, 'task_status', { ...index, status: 'SUCCESS' }));
    expect(ended.children).toEqual([{ ...known, status: 'SUCCESS' }]);
    const again = reduce(ended, event(5, 'task_start', index));
    expect(again.children).toEqual([{ ...task, status: 'RUNNING' }]);
  });

  test('progress that is too large replaces the one before, and is replaced by the next one', () => {
    const index = { taskId: 'index', status: 'RUNNING' } as const;
    const omitted = { progressOmitted: true, progressBytes: 9_000 };
    const state = stateAfter(
      initialState('workflow'),
      ['task_status', { ...index, progress: 1 }],
      ['task_status', { ...index, ...omitted }],
    );
    const child = { kind: 'task', name: 'index', status: 'RUNNING' };
    expect(state.children).toEqual([{ ...child, ...omitted }]);
    const next = reduce(state, event(3, 'task_status', { ...index, progress: 2 }));
    expect(next.children).toEqual([{ ...child, progress: 2 }]);
  });

  test("a workflow's status sets status, step and usage, and usage stays until it is sent again", () => {
    const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3 };
    const state = stateAfter(
      initialState('workflow'),
      ['workflow_status', { status: 'PAUSED', step: 'approval', usage }],
      ['workflow_status', { status: 'WAITING', step: 'timer' }],
    );
    expect(state).toMatchObject({ status: 'WAITING', step: 'timer', usage });
    const started = reduce(
      state,
      event(3, 'workflow_start', { workflowId: 'w', workflowType: 'report', runId: 'r' }),
    );
    expect(started).toMatchObject({ status: 'RUNNING', step: undefined, usage });
    expect(started.subject).toEqual({ workflowId: 'w', workflowType: 'report', runId: 'r' });
  });

  test('a task that starts again is running and has no step', () => {
    const state = stateAfter(
      initialState('task', 'TEXT'),
      ['task_status', { status: 'WAITING', step: 'lock' }],
      ['task_start', { taskId: 'index' }],
    );
    expect(state).toMatchObject({ status: 'RUNNING', step: undefined, subject: { taskId: 'index' } });
  });

  test('`complete` sets status, usage and end, and clears the step', () => {
    const data = {
      status: 'SUCCESS',
      result: 'a',
      usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 },
      durationMs: 1,
    } as const;
    const state = stateAfter(
      initialState('agent', 'TEXT'),
      ['agent_status', { status: 'RUNNING', step: 'write' }],
      ['complete', data],
    );
    expect(state).toMatchObject({ status: 'SUCCESS', step: undefined, usage: data.usage, end: data });
  });

  test("an agent's stream keeps the events of another execution as those of a child", () => {
    const state = stateAfter(
      initialState('agent', 'TEXT'),
      ['agent_start', { agentId: 'writer' }],
      ['agent_start', { agentId: 'helper', executionId: 'a2' }],
      ['agent_status', { status: 'WAITING', executionId: 'a2' }],
    );
    expect(state).toMatchObject({ status: 'RUNNING', subject: { agentId: 'writer' } });
    expect(state.children).toEqual([{ executionId: 'a2', kind: 'agent', name: 'helper', status: 'WAITING' }]);
  });

  test("an agent's own status may name its execution", () => {
    const named = { executionId: EXECUTION_ID };
    const state = stateAfter(
      initialState('agent', 'TEXT'),
      ['agent_start', { agentId: 'writer', ...named }],
      ['agent_status', { status: 'PAUSED', ...named }],
    );
    expect(state).toMatchObject({ status: 'PAUSED', children: [], subject: { agentId: 'writer' } });
  });

  test('the last 20 warnings are kept', () => {
    const warnings = Array.from({ length: 25 }, (_, i) => ({ code: `W${i}`, message: 'm' }));
    const state = stateAfter(
      initialState('task', 'TEXT'),
      ...warnings.map((data) => ['warning', data] as ['warning', typeof data]),
    );
    expect(state.warnings).toEqual(warnings.slice(5));
  });

  test('an event of an unknown type only moves the cursor', () => {
    const state = stateAfter(initialState('task', 'TEXT'), ['llm_chunk', { content: 'a' }]);
    const unknown = { ...event(2, 'warning', { code: 'c', message: 'm' }), type: 'later' };
    expect(reduce(state, unknown as unknown as ExecutionEvent)).toEqual({ ...state, cursor: '2-e1' });
  });
});

describe('the position of the state', () => {
  const chunk = (seq: number, content: string, epoch?: string) => event(seq, 'llm_chunk', { content }, epoch);
  const ended = reduceAll(initialState('agent', 'TEXT'), [
    event(1, 'agent_start', { agentId: 'writer' }),
    event(2, 'tool_call', { toolCallId: 't', toolName: 'search', status: 'started' }),
    chunk(3, 'old'),
    event(4, 'complete', { status: 'SUCCESS', durationMs: 1 }),
  ]);

  test('moves to a new epoch with its first event, even at a lower seq, and the old content is cleared', () => {
    const state = reduce(ended, chunk(1, 'new', 'e2'));
    expect(state).toMatchObject({ cursor: '1-e2', text: 'new', toolCalls: [], end: undefined });
    expect(state.subject).toEqual({ agentId: 'writer' });
  });

  test('returns to the start of the log with a reset of the server, which is applied once', () => {
    const reset = event(0, 'reset', { reason: 'log_lost' });
    const state = reduce(ended, reset);
    expect(state).toMatchObject({ cursor: '0-e1', text: '', toolCalls: [], end: undefined });
    expect(reduce(state, reset)).toBe(state);
    expect(reduce(state, chunk(1, 'again'))).toMatchObject({ cursor: '1-e1', text: 'again' });
  });

  test('is not changed by a reset of the log at or before it, or by another event without a seq', () => {
    expect(reduce(ended, event(3, 'reset', { reason: 'attempt' }))).toBe(ended);
    expect(reduce(ended, event(0, 'warning', { code: 'W', message: 'm' }))).toBe(ended);
    expect(reduce(ended, event(0, 'gap', { fromSeq: 1, toSeq: 2 }))).toBe(ended);
  });

  test('is compared as a number', () => {
    const state = reduce(initialState('agent', 'TEXT'), chunk(9, 'a'));
    expect(reduce(state, chunk(10, 'b'))).toMatchObject({ cursor: '10-e1', text: 'ab' });
    expect(reduce(state, chunk(8, 'b'))).toBe(state);
  });
});

describe('lost events', () => {
  const patch = (...operations: PatchOperation[]) =>
    ['structured_delta', { patch: operations }] as ['structured_delta', { patch: PatchOperation[] }];
  const gap = ['gap', { fromSeq: 2, toSeq: 2 }] as ['gap', { fromSeq: number; toSeq: number }];

  test.each([
    ['a gap', gap],
    ['PREFIX_LOST', ['warning', { code: 'PREFIX_LOST', message: 'm' }] as never],
  ])('%s makes a text partial: it starts over, and the result completes it', (_, loss) => {
    const start = initialState('agent', 'TEXT');
    const state = stateAfter(start, ['llm_chunk', { content: 'a' }], loss, ['llm_chunk', { content: 'c' }]);
    expect(state).toMatchObject({ text: 'c', completeness: 'partial' });
    const complete = (result?: JsonValue) =>
      reduce(
        state,
        event(4, 'complete', { status: 'SUCCESS', durationMs: 1, ...(result !== undefined && { result }) }),
      );
    expect(complete('abc')).toMatchObject({ text: 'abc', completeness: 'full' });
    expect(complete()).toMatchObject({ text: 'c', completeness: 'partial' });
    expect(complete({ not: 'text' })).toMatchObject({ text: 'c', completeness: 'partial' });
  });

  test('a gap makes a value partial: patches have no effect until a whole value', () => {
    const start = initialState('agent', 'STRUCTURED');
    const set = patch({ op: 'add', path: '', value: { a: 1 } });
    const change = patch({ op: 'add', path: '/b', value: 2 });
    const partial = stateAfter(start, set, gap, change);
    expect(partial).toMatchObject({ value: { a: 1 }, completeness: 'partial' });
    const whole = reduce(partial, event(4, ...patch({ op: 'replace', path: '', value: [] })));
    expect(whole).toMatchObject({ value: [], completeness: 'full' });
  });

  test('PREFIX_LOST does not concern a value', () => {
    const lost = ['warning', { code: 'PREFIX_LOST', message: 'm' }] as ['warning', never];
    const state = stateAfter(
      initialState('agent', 'STRUCTURED'),
      lost,
      patch({ op: 'add', path: '', value: 1 }),
    );
    expect(state).toMatchObject({ value: 1, completeness: 'full' });
  });

  test('a gap with content sets it', () => {
    const state = stateAfter(initialState('agent', 'TEXT'), gap, [
      'gap',
      { fromSeq: 1, toSeq: 2, text: 'ab' },
    ]);
    expect(state).toMatchObject({ text: 'ab', completeness: 'full' });
  });
});
