// The shapes of the OpenAPI document: events from the zod schemas that check them, the state of an execution, and
// problems.
import { z } from 'zod';
import { CATALOGUE, EVENT_TYPES, type EventType, EXECUTION_KINDS } from '../../event/events.ts';
import { EVENT_DATA, USAGE } from '../../event/validation.ts';
import { kindName, withArticle } from './kinds.ts';

export type JsonSchema = { [keyword: string]: unknown };

const DESCRIPTIONS: { readonly [T in EventType]: string } = {
  workflow_start: 'A workflow began.',
  workflow_status: 'A workflow has another status, or is at another step.',
  agent_start: 'An agent began; in the stream of a workflow, a child, named by `executionId`.',
  agent_status: 'An agent has another status, or is at another step.',
  task_start: 'A task began; in the stream of a workflow, a child, named by `executionId`.',
  task_status: 'A task has another status, or is at another step.',
  tool_call: 'A call of a tool: once when it starts, once when it has succeeded or failed.',
  llm_chunk:
    'A piece of text. White space is content; all pieces since the last `reset`, joined, are the text. On the stream its `data:` is the text itself, not JSON.',
  structured_delta:
    'RFC 6902 operations on the value so far, which is `null` at the start and after a `reset`.',
  warning: 'Something that a viewer may want to know; the stream goes on.',
  reset: 'Text, value and tool calls so far are void. What follows says them again. Start events stand.',
  gap: 'The events from `fromSeq` to `toSeq` are gone. Where it is known, `text` or `value` is the state as of `toSeq`.',
  error: 'The execution ended without success. Nothing follows.',
  complete: 'The execution ended with success; `result` is the whole text or value. Nothing follows.',
};

/** One schema for the data of each event type, named as in `components`. */
export function eventSchemas(): Record<string, JsonSchema> {
  return Object.fromEntries(
    EVENT_TYPES.map((type) => [type, { description: DESCRIPTIONS[type], ...toJsonSchema(EVENT_DATA[type]) }]),
  );
}

/** A cursor as a client may send it: also without the epoch. */
export const CURSOR: JsonSchema = { type: 'string', pattern: '^(0|[1-9][0-9]*)(-[0-9a-z]{10,16})?$' };

/** One message of each kind's stream, as a client has parsed it. */
export function messageSchemas(): Record<string, JsonSchema> {
  return Object.fromEntries(
    EXECUTION_KINDS.map((kind) => [
      `${kindName(kind)}Message`,
      {
        description: `A message of ${withArticle(kind)}'s stream.`,
        oneOf: EVENT_TYPES.filter((type) => CATALOGUE[type].includes(kind)).map(messageSchema),
      },
    ]),
  );
}

function messageSchema(type: EventType): JsonSchema {
  const isText = type === 'llm_chunk';
  return {
    title: type,
    type: 'object',
    required: ['id', 'event', 'data'],
    properties: {
      id: CURSOR,
      event: { const: type },
      data: isText
        ? { type: 'string', description: 'The text itself.' }
        : { $ref: `#/components/schemas/${type}` },
    },
  };
}

const nullable = (type: string) => ({ type: [type, 'null'] });

/** The state of an execution, as `…/{id}` answers it. */
export const EXECUTION: JsonSchema = {
  type: 'object',
  required: ['id', 'kind', 'status', 'mode', 'attempt', 'startedAt'],
  properties: {
    id: { type: 'string' },
    kind: { enum: ['WORKFLOW', 'AGENT', 'TASK'] },
    status: {
      enum: [
        'PENDING',
        'RUNNING',
        'WAITING',
        'PAUSED',
        'SUCCESS',
        'FAILED',
        'CANCELED',
        'TIMED_OUT',
        'TERMINATED',
      ],
    },
    mode: { enum: ['TEXT', 'STRUCTURED'] },
    attempt: { type: 'integer', minimum: 1 },
    name: nullable('string'),
    parent: { ...nullable('string'), description: 'The id of the execution that began this one.' },
    children: {
      type: 'array',
      items: { type: 'string' },
      maxItems: 100,
      description: 'The ids of the first 100 executions that were begun under this one, oldest first.',
    },
    childrenCursor: {
      ...nullable('string'),
      description:
        'Where the other children are read: over GraphQL, as `after` of `children`. null where there are no more.',
    },
    workflowId: nullable('string'),
    runId: nullable('string'),
    input: { description: 'Any JSON.' },
    result: { description: 'The whole text or value; null while there is none.' },
    resultOmitted: {
      type: 'boolean',
      description: 'The execution has ended with a result that was not kept; `result` is null.',
    },
    error: {
      type: ['object', 'null'],
      properties: { message: { type: 'string' }, code: nullable('string') },
    },
    usage: stateOf(USAGE),
    startedAt: { type: 'string', format: 'date-time' },
    finishedAt: { ...nullable('string'), format: 'date-time' },
    durationMs: nullable('integer'),
    lastCursor: { ...nullable('string'), description: 'Where the stream stands; of an ended one, its end.' },
  },
};

/** An object as GraphQL answers it: null, or with null for each field that is not there. */
function stateOf(schema: z.ZodType): JsonSchema {
  const { properties, required, ...rest } = toJsonSchema(schema) as {
    properties: Record<string, JsonSchema>;
    required: string[];
  };
  const all = Object.entries(properties).map(([name, field]) =>
    required.includes(name) ? [name, field] : [name, { ...field, type: [field.type, 'null'] }],
  );
  return { ...rest, type: ['object', 'null'], properties: Object.fromEntries(all), required };
}

/** RFC 9457. */
export const PROBLEM: JsonSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What was wrong, in words.' },
    code: { type: 'string' },
  },
};

/** Whether the server works. */
export const HEALTH: JsonSchema = {
  type: 'object',
  required: ['status'],
  properties: {
    status: { enum: ['ok', 'unavailable'] },
    parts: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Each part: `ok`, or why it is not.',
    },
  },
};

/** A zod schema as JSON Schema; where any JSON may stand, the empty schema says so. */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  const { $schema, $defs, ...rest } = z.toJSONSchema(schema) as JsonSchema;
  return withoutRefs(rest) as JsonSchema;
}

function withoutRefs(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutRefs);
  if (typeof schema !== 'object' || schema === null) return schema;
  if ('$ref' in schema) return {};
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withoutRefs(value)]));
}
