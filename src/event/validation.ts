// Validates the data of events at run time. The only file of this floor with a dependency (zod); code for browsers and
// Temporal's workflow sandbox never imports it.
// As a namespace, so that bundlers leave out the unused parts.
import * as z from 'zod';
import { ExecstreamError, isExecstreamError } from './errors.ts';
import {
  CATALOGUE,
  type EventData,
  type EventType,
  type ExecutionStatus,
  type FailedStatus,
  type JsonValue,
} from './events.ts';
import { shorten } from './json-pointer.ts';
import { MAX_COUNT, parseUsage } from './usage.ts';

const id = z.string().min(1).max(1_000);
const count = z.int().min(0).max(MAX_COUNT);
/** The maximum of GraphQL's Int. */
const MAX_INT = 2 ** 31 - 1;
/** A size in bytes. */
const bytes = z.int().min(0).max(MAX_INT);
const durationMs = count;

const FAILED = ['FAILED', 'CANCELED', 'TIMED_OUT', 'TERMINATED'] as const satisfies FailedStatus[];
const STATUSES = [
  'PENDING',
  'RUNNING',
  'WAITING',
  'PAUSED',
  'SUCCESS',
  ...FAILED,
] as const satisfies ExecutionStatus[];

/** Not checked again: request bodies were parsed, and the library's arguments were copied as JSON, before this. */
const json = z.unknown() as z.ZodType<JsonValue>;
const status = z.enum(STATUSES);
const childKind = z.enum(['WORKFLOW', 'AGENT', 'TASK']);

/** Usage as events carry it. What a publisher sends may have another shape: see `parseUsage`. */
export const USAGE = z.strictObject({
  inputTokens: count,
  outputTokens: count,
  totalTokens: count,
  model: z.string().optional(),
  costUsd: z.number().min(0).optional(),
});

const PATCH = z.array(
  z.strictObject({
    op: z.enum(['add', 'remove', 'replace', 'move', 'copy', 'test']),
    path: z.string(),
    from: z.string().optional(),
    value: json.optional(),
  }),
);

/** The schema of each type's data (PROTOCOL.md, "Events"). */
export const EVENT_DATA: { readonly [T in EventType]: z.ZodType<EventData[T]> } = {
  workflow_start: z.strictObject({ workflowId: id, workflowType: z.string(), runId: z.string() }),
  workflow_status: z.strictObject({ status, step: z.string().optional(), usage: USAGE.optional() }),
  agent_start: z.strictObject({ agentId: id, action: z.string().optional(), executionId: id.optional() }),
  agent_status: z.strictObject({ status, step: z.string().optional(), executionId: id.optional() }),
  task_start: z.strictObject({
    taskId: id,
    summary: z.string().optional(),
    executionId: id.optional(),
    executionKind: childKind.optional(),
    input: json.optional(),
    inputOmitted: z.boolean().optional(),
    inputBytes: bytes.optional(),
  }),
  task_status: z.strictObject({
    status,
    step: z.string().optional(),
    taskId: id.optional(),
    executionId: id.optional(),
    executionKind: childKind.optional(),
    taskAttempt: z.int().min(1).max(MAX_INT).optional(),
    nextAttemptAt: z.iso.datetime().optional(),
    progress: json.optional(),
    progressOmitted: z.boolean().optional(),
    progressBytes: bytes.optional(),
    result: json.optional(),
    resultOmitted: z.boolean().optional(),
    resultBytes: bytes.optional(),
  }),
  tool_call: z.strictObject({
    toolCallId: id,
    toolName: z.string().min(1),
    status: z.enum(['started', 'succeeded', 'failed']),
    args: json.optional(),
    argsOmitted: z.boolean().optional(),
    argsBytes: bytes.optional(),
    result: json.optional(),
    resultOmitted: z.boolean().optional(),
    resultBytes: bytes.optional(),
    error: z.string().optional(),
    durationMs: durationMs.optional(),
  }),
  llm_chunk: z.strictObject({ content: z.string(), topic: z.string().optional() }),
  structured_delta: z.strictObject({ patch: PATCH }),
  custom: z.strictObject({
    name: z.string(),
    value: json.optional(),
    valueOmitted: z.boolean().optional(),
    valueBytes: bytes.optional(),
  }),
  warning: z.strictObject({ code: z.string().min(1), message: z.string() }),
  reset: z.strictObject({ reason: z.enum(['attempt', 'run', 'source', 'log_lost', 'overflow']) }),
  gap: z.strictObject({
    fromSeq: z.int().min(1),
    toSeq: z.int().min(1),
    text: z.string().optional(),
    textOmitted: z.boolean().optional(),
    textBytes: bytes.optional(),
    value: json.optional(),
    valueOmitted: z.boolean().optional(),
    valueBytes: bytes.optional(),
  }),
  error: z.strictObject({
    status: z.enum(FAILED),
    message: z.string(),
    code: z.string().optional(),
    usage: USAGE.optional(),
    durationMs,
  }),
  complete: z.strictObject({
    status: z.literal('SUCCESS'),
    result: json.optional(),
    resultOmitted: z.boolean().optional(),
    resultBytes: bytes.optional(),
    usage: USAGE.optional(),
    durationMs,
  }),
};

/**
 * Checks the data of an event from outside.
 * @returns the data with its fields in their order, and usage in the protocol's shape. The order matters: a log compares
 *   the text of an event that a workflow reports twice, by its sink and by the query.
 * @throws ExecstreamError `BAD_USER_INPUT`; the message has the type, the field and the reason
 */
export function checkEventData<T extends EventType>(type: T, data: unknown): EventData[T] {
  if (!Object.hasOwn(CATALOGUE, type)) {
    throw new ExecstreamError('BAD_USER_INPUT', `unknown event type "${String(type).slice(0, 40)}"`);
  }
  const read = TYPES_WITH_USAGE.has(type) ? withUsage(type, data) : data;
  const checked = EVENT_DATA[type].safeParse(read);
  if (checked.success) return read as EventData[T];
  throw new ExecstreamError('BAD_USER_INPUT', `${type}: ${describeIssue(checked.error, ['data'])}`);
}

/**
 * Describes the first problem of a value, with its path. A field that is unknown comes first: a misspelled name is why
 * another field is missing.
 * @param parents names of the containers around the value
 */
export function describeIssue({ issues }: z.ZodError, parents: readonly string[] = []): string {
  const unknown = issues.find(({ code }) => code === 'unrecognized_keys');
  if (unknown?.code === 'unrecognized_keys') {
    return `${[...parents, ...unknown.path, shorten(unknown.keys[0]!)].join('.')}: unknown field`;
  }
  const { path, message } = issues[0]!;
  const where = [...parents, ...path].join('.');
  return where === '' ? message : `${where}: ${message}`;
}

const TYPES_WITH_USAGE: ReadonlySet<EventType> = new Set(['workflow_status', 'error', 'complete']);

function withUsage(type: EventType, data: unknown): unknown {
  if (typeof data !== 'object' || data === null || !('usage' in data)) return data;
  const { usage: reported, ...others } = data;
  try {
    const usage = parseUsage(reported);
    return usage ? { ...data, usage } : others;
  } catch (error) {
    if (!isExecstreamError(error)) throw error;
    throw new ExecstreamError('BAD_USER_INPUT', `${type}: data.${error.message}`);
  }
}
