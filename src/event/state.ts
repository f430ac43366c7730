// The state of an execution: what its events add up to. Every part of the product that joins, displays or translates an
// execution uses this reducer. It is pure and runs in browsers.
//
// Laws (test/event/state.test.ts)
// 1. Prefix: reducing 1..n and then n+1..m gives the same state as reducing 1..m.
// 2. Snapshot: a state that was written as JSON and read back can be reduced further, with the same outcome.
// 3. Idempotence: an event at or below the cursor of the same epoch changes nothing. The one exception is the server's
//    `reset` (seq 0), which announces that the log is replayed from its start.
// 4. A `reset` or a new epoch clears text, value, tool calls and end. The subject stays.
// 5. States are immutable and share their unchanged parts. A chunk costs its own length, not the text's.
// 6. A patch that does not apply makes the value partial until the next whole-value patch. Nothing throws.

import { type ChildState, changeChild, type SubjectEvent } from './child-state.ts';
import {
  type ContentState,
  clearContent,
  initialContent,
  reduceContent,
  reduceWorkflowContent,
  withoutContent,
} from './content-state.ts';
import type {
  EventData,
  ExecutionEvent,
  ExecutionKind,
  ExecutionMode,
  ExecutionStatus,
  JsonValue,
  Usage,
} from './events.ts';
import { upsert } from './upsert.ts';

export type { ChildState } from './child-state.ts';

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly status: EventData['tool_call']['status'];
  readonly args?: JsonValue;
  /** `args` does not fit into a message; `argsBytes` is its size. */
  readonly argsOmitted?: boolean;
  readonly argsBytes?: number;
  readonly result?: JsonValue;
  /** As for `args`. */
  readonly resultOmitted?: boolean;
  readonly resultBytes?: number;
  readonly error?: string;
  readonly durationMs?: number;
}

export interface ExecutionState extends ContentState {
  readonly kind: ExecutionKind;
  /** The position of the last event applied, `<seq>-<epoch>`: where to resume. Empty before the first event. */
  readonly cursor: string;
  /** The attempt of the last event applied; 0 before the first event. */
  readonly attempt: number;
  /** Of the last start, status or terminal event; absent before. */
  readonly status?: ExecutionStatus;
  readonly step?: string;
  /** In start order; cleared by a `reset`. */
  readonly toolCalls: readonly ToolCall[];
  /** In start order. */
  readonly children: readonly ChildState[];
  readonly usage?: Usage;
  /** The last 20. */
  readonly warnings: readonly EventData['warning'][];
  /** The data of the start event. */
  readonly subject?: EventData['workflow_start' | 'agent_start' | 'task_start'];
  /** The data of the terminal event. */
  readonly end?: EventData['complete' | 'error'];
}

const MAX_WARNINGS = 20;

/** Shared, so that clearing an empty list keeps its identity. */
const NONE: readonly never[] = [];

/**
 * The state before the first event.
 * @param mode the execution's mode. Without it, the state has both a text and a value, and only one of them grows.
 *   Workflows have neither before their events add to one.
 */
export function initialState(kind: ExecutionKind, mode?: ExecutionMode): ExecutionState {
  const content: ContentState = kind === 'workflow' ? { completeness: 'full' } : initialContent(mode);
  return {
    kind,
    cursor: '',
    attempt: 0,
    ...content,
    toolCalls: NONE,
    children: NONE,
    warnings: NONE,
  };
}

/** The state after an event. Never throws; an event that changes nothing returns the same state. */
export function reduce(state: ExecutionState, event: ExecutionEvent): ExecutionState {
  const { id: cursor, seq, attempt } = event;
  if (cursor === state.cursor) return state;
  const isNewEpoch = state.cursor !== '' && epochOf(cursor) !== epochOf(state.cursor);
  const isReplay = event.type === 'reset' && seq === 0;
  if (!isNewEpoch && !isReplay && seq <= Number.parseInt(state.cursor, 10)) return state;
  const isWorkflow = state.kind === 'workflow';
  const clear = isWorkflow ? withoutContent : clearContent;
  const before = isNewEpoch ? { ...clear(state), ...CLEARED } : state;
  const reduceOwn = isWorkflow ? reduceWorkflowContent : reduceContent;
  // Not one literal with two spreads, which takes twice the time.
  return Object.assign({ ...reduceOwn(before, event), cursor, attempt }, changesOf(before, event));
}

const CLEARED: Pick<ExecutionState, 'toolCalls' | 'end'> = { toolCalls: NONE, end: undefined };

/** What an event changes beside the content. */
function changesOf(state: ExecutionState, event: ExecutionEvent): Partial<ExecutionState> | undefined {
  switch (event.type) {
    case 'workflow_start':
      return { subject: event.data, status: 'RUNNING', step: undefined };
    case 'agent_start':
    case 'task_start': {
      if (isOwn(state, event)) return { subject: event.data, status: 'RUNNING', step: undefined };
      return { children: changeChild(state.children, event, { status: 'RUNNING', step: undefined }) };
    }
    case 'workflow_status': {
      const { status, step, usage = state.usage } = event.data;
      return { status, step, usage };
    }
    case 'agent_status':
    case 'task_status': {
      const { status, step } = event.data;
      if (isOwn(state, event)) return { status, step };
      return { children: changeChild(state.children, event, { status, step }) };
    }
    case 'tool_call': {
      const { toolCallId: id, toolName: name, ...rest } = event.data;
      // A call that starts again has no outcome yet.
      const update = (old?: ToolCall) =>
        withKnownArgs({ ...(rest.status !== 'started' && old), id, name, ...rest });
      return { toolCalls: upsert(state.toolCalls, (call) => call.id === id, update) };
    }
    case 'warning':
      return { warnings: [...state.warnings, event.data].slice(-MAX_WARNINGS) };
    case 'reset':
      return CLEARED;
    case 'complete':
    case 'error': {
      const { status, usage = state.usage } = event.data;
      return { status, step: undefined, usage, end: event.data };
    }
    default:
      return undefined;
  }
}

/** Arguments that another event of the call carries are not omitted. */
function withKnownArgs({ argsOmitted, argsBytes, ...call }: ToolCall): ToolCall {
  return call.args !== undefined || !argsOmitted ? call : { ...call, argsOmitted, argsBytes };
}

/** Whether an event is about the execution itself, not about a child of a workflow. */
function isOwn({ kind }: ExecutionState, { type, data, executionId }: SubjectEvent): boolean {
  return type.startsWith(kind) && (data.executionId ?? executionId) === executionId;
}

function epochOf(cursor: string): string {
  return cursor.slice(cursor.indexOf('-') + 1);
}
