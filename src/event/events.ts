// The catalogue of events, with the data of each type (PROTOCOL.md, "Events").

/** The kind of work that an execution runs. */
export type ExecutionKind = 'workflow' | 'agent' | 'task';

export const EXECUTION_KINDS: readonly ExecutionKind[] = ['workflow', 'agent', 'task'];

/** Whether an execution's result grows as text (`llm_chunk`) or as a JSON value (`structured_delta`). */
export type ExecutionMode = 'TEXT' | 'STRUCTURED';

/** How an execution can end without success. */
export type FailedStatus = 'FAILED' | 'CANCELED' | 'TIMED_OUT' | 'TERMINATED';

/** The status of an execution. */
export type ExecutionStatus = 'PENDING' | 'RUNNING' | 'WAITING' | 'PAUSED' | 'SUCCESS' | FailedStatus;

/** A status in which an execution is open: more events may follow. */
export type OpenStatus = Exclude<ExecutionStatus, 'SUCCESS' | FailedStatus>;

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** Tokens spent by an execution so far. */
export interface Usage {
  inputTokens: number;
  outputTokens: number;
  totalTokens: number;
  model?: string;
  costUsd?: number;
}

/** One RFC 6902 operation. */
export interface PatchOperation {
  op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  path: string;
  from?: string;
  value?: JsonValue;
}

/**
 * Why everything before a `reset` is void: another attempt, another run under the same id, another source of the same
 * execution's events, a log that was lost, or a publisher whose queue was full.
 */
export type ResetReason = 'attempt' | 'run' | 'source' | 'log_lost' | 'overflow';

/** The kind of a child that is an execution itself, as the state has it. Absent: that of the event type. */
export type ChildKind = Uppercase<ExecutionKind>;

export interface EventData {
  workflow_start: { workflowId: string; workflowType: string; runId: string };
  workflow_status: { status: ExecutionStatus; step?: string; usage?: Usage };
  agent_start: { agentId: string; action?: string; executionId?: string };
  agent_status: { status: ExecutionStatus; step?: string; executionId?: string };
  task_start: {
    taskId: string;
    /** What the task does, in words for people. */
    summary?: string;
    executionId?: string;
    executionKind?: ChildKind;
    /** The argument of the task, or the list of its arguments. */
    input?: JsonValue;
    /** `input` does not fit; `inputBytes` is its size as JSON in UTF-8. */
    inputOmitted?: boolean;
    inputBytes?: number;
  };
  task_status: {
    status: ExecutionStatus;
    step?: string;
    taskId?: string;
    executionId?: string;
    executionKind?: ChildKind;
    /** The attempt of the task that this is about, from 1. The `attempt` of the event is that of the execution. */
    taskAttempt?: number;
    /** When the next attempt of the task starts: RFC 3339, milliseconds, UTC. */
    nextAttemptAt?: string;
    /** What the task last reported of its progress. */
    progress?: JsonValue;
    /** `progress` does not fit; `progressBytes` is its size in bytes. */
    progressOmitted?: boolean;
    progressBytes?: number;
    result?: JsonValue;
    /** What the task returned. */
    resultOmitted?: boolean;
    resultBytes?: number;
  };
  tool_call: {
    toolCallId: string;
    toolName: string;
    status: 'started' | 'succeeded' | 'failed';
    args?: JsonValue;
    /** `args` does not fit; `argsBytes` is its size as JSON in UTF-8. */
    argsOmitted?: boolean;
    argsBytes?: number;
    result?: JsonValue;
    /** As for `args`. */
    resultOmitted?: boolean;
    resultBytes?: number;
    error?: string;
    durationMs?: number;
  };
  llm_chunk: {
    content: string;
    /** In the stream of a workflow: the topic to which its items were published. */
    topic?: string;
  };
  structured_delta: { patch: PatchOperation[] };
  /** An event of the application. */
  custom: {
    name: string;
    value?: JsonValue;
    /** The value does not fit; `valueBytes` is its size as JSON in UTF-8. */
    valueOmitted?: boolean;
    valueBytes?: number;
  };
  warning: { code: string; message: string };
  reset: { reason: ResetReason };
  gap: {
    fromSeq: number;
    toSeq: number;
    text?: string;
    /** The text is known and does not fit; `textBytes` is its size as JSON in UTF-8. */
    textOmitted?: boolean;
    textBytes?: number;
    value?: JsonValue;
    /** As for `text`. */
    valueOmitted?: boolean;
    valueBytes?: number;
  };
  error: { status: FailedStatus; message: string; code?: string; usage?: Usage; durationMs: number };
  complete: {
    status: 'SUCCESS';
    result?: JsonValue;
    /** The result does not fit, or was not kept. */
    resultOmitted?: boolean;
    /** The size of a result that does not fit, as JSON in UTF-8. */
    resultBytes?: number;
    usage?: Usage;
    durationMs: number;
  };
}

export type EventType = keyof EventData;

/** The types that end an execution. */
export type TerminalType = 'complete' | 'error';

/** Every event type and the streams in which it occurs. */
export const CATALOGUE: { readonly [T in EventType]: readonly ExecutionKind[] } = {
  workflow_start: ['workflow'],
  workflow_status: ['workflow'],
  agent_start: ['workflow', 'agent'],
  agent_status: ['workflow', 'agent'],
  task_start: ['workflow', 'task'],
  task_status: ['workflow', 'task'],
  tool_call: EXECUTION_KINDS,
  llm_chunk: EXECUTION_KINDS,
  structured_delta: EXECUTION_KINDS,
  custom: EXECUTION_KINDS,
  warning: EXECUTION_KINDS,
  reset: EXECUTION_KINDS,
  gap: EXECUTION_KINDS,
  error: EXECUTION_KINDS,
  complete: EXECUTION_KINDS,
};

export const EVENT_TYPES = /* @__PURE__ */ Object.keys(CATALOGUE) as readonly EventType[];

/**
 * Whether a publisher may publish events of a type in the streams of a kind. The text and the value of a workflow come from
 * Temporal alone.
 */
export function isPublishable(type: EventType, kind: ExecutionKind): boolean {
  const isContent = type === 'llm_chunk' || type === 'structured_delta';
  return CATALOGUE[type].includes(kind) && !(isContent && kind === 'workflow');
}

/** An event before it has a position in a log. */
export type NewEvent<T extends EventType = EventType> = {
  [K in T]: { type: K; data: EventData[K] /** RFC 3339, milliseconds, UTC. */; ts: string };
}[T];

/** An immutable fact about one execution, at its position in the execution's log. */
export type ExecutionEvent<T extends EventType = EventType> = {
  readonly [K in T]: {
    /** The cursor, `<seq>-<epoch>`. */
    readonly id: string;
    readonly seq: number;
    readonly type: K;
    /** RFC 3339, milliseconds, UTC. */
    readonly ts: string;
    readonly executionId: string;
    readonly attempt: number;
    /** Of an `llm_chunk`: the last code unit of the chunk before, if this one completes its surrogate pair or CRLF. */
    readonly completes?: string;
    readonly data: EventData[K];
  };
}[T];

/** Whether an event type ends its execution. */
export function isTerminal(type: EventType): type is TerminalType {
  return type === 'complete' || type === 'error';
}

/** Whether a status is final. */
export function isFinal(status: ExecutionStatus): status is 'SUCCESS' | FailedStatus {
  return (
    status === 'SUCCESS' ||
    status === 'FAILED' ||
    status === 'CANCELED' ||
    status === 'TIMED_OUT' ||
    status === 'TERMINATED'
  );
}

/** A time in the format of events: RFC 3339, milliseconds, UTC. */
export function timestamp(at: Date = new Date()): string {
  return at.toISOString();
}
