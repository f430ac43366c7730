// Schemas of the OpenAPI document: events, derived from the zod schemas that validate them; ids, cursors
// and problems.
import { CATALOGUE, EVENT_TYPES, type EventType, EXECUTION_KINDS } from '../../event/events.ts';
import { MAX_EXECUTION_ID_BYTES, RESERVED_PREFIX } from '../../event/execution-id.ts';
import { EVENT_DATA } from '../../event/validation.ts';
import { type JsonSchema, opened, toJsonSchema } from './json-schema.ts';
import { kindName, withArticle } from './kind-names.ts';

const DESCRIPTIONS: { readonly [T in EventType]: string } = {
  workflow_start: 'A workflow started.',
  workflow_status: 'The status or the step of a workflow changed.',
  agent_start: 'An agent started. In the stream of a workflow: a child, identified by `executionId`.',
  agent_status: 'The status or the step of an agent changed.',
  task_start: 'A task started. In the stream of a workflow: a child, identified by `executionId`.',
  task_status: 'The status or the step of a task changed.',
  tool_call: 'A tool call: one event when it starts, one when it succeeds or fails.',
  llm_chunk:
    'A chunk of text. White space is significant. The text is the concatenation of all chunks since the last `reset`. On the stream, `data:` is the text itself, not JSON.',
  structured_delta:
    'RFC 6902 operations on the current value, which is `null` at the start and after a `reset`.',
  custom: 'An event of the application: its name, and its value.',
  warning: 'A notice for the viewer. The stream continues.',
  reset:
    'Discard text, value and tool calls received so far; they are sent again. Start events remain valid.',
  gap: 'The events from `fromSeq` to `toSeq` are no longer available. `text` or `value`, if known, is the state at `toSeq`.',
  error: 'The execution ended without success. This is the last event.',
  complete:
    'The execution ended successfully. `result` is the complete text or value. This is the last event.',
};

/**
 * One schema for the data of each event type, named as in `components`. They describe what the server sends, to which
 * later versions may add fields; requests are checked against the closed schemas.
 */
export function eventSchemas(): Record<string, JsonSchema> {
  return Object.fromEntries(
    EVENT_TYPES.map((type) => [
      type,
      { description: DESCRIPTIONS[type], ...opened(toJsonSchema(EVENT_DATA[type])) },
    ]),
  );
}

const SEQ = '(0|[1-9][0-9]{0,14}|[1-8][0-9]{15})';

/** A cursor in a request: the epoch is optional, and an empty one counts as absent. */
export const CURSOR: JsonSchema = { type: 'string', pattern: `^(${SEQ}(-[0-9a-z]{10,16})?)?$` };

/** The cursor of an event. */
export const EVENT_CURSOR: JsonSchema = { type: 'string', pattern: `^${SEQ}-[0-9a-z]{10,16}$` };

/** A schema cannot limit the bytes, only the characters. All languages of generators have `\x00`, but not `\u0000`. */
export const EXECUTION_ID: JsonSchema = {
  type: 'string',
  minLength: 1,
  maxLength: MAX_EXECUTION_ID_BYTES,
  pattern: '^[^\\x00]+$',
  description: `Up to ${MAX_EXECUTION_ID_BYTES} bytes of UTF-8; not starting with \`${RESERVED_PREFIX}\`, which is reserved.`,
};

/** A parsed message of each kind's stream. */
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

const TEXT_DATA = 'The text; with `data=json` an object.';

function messageSchema(type: EventType): JsonSchema {
  const isText = type === 'llm_chunk';
  const data = { $ref: `#/components/schemas/${type}` };
  return {
    title: type,
    type: 'object',
    required: ['id', 'event', 'data'],
    properties: {
      id: EVENT_CURSOR,
      event: { const: type },
      data: isText ? { description: TEXT_DATA, anyOf: [{ type: 'string' }, data] } : data,
    },
  };
}

/** RFC 9457. */
export const PROBLEM: JsonSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'A description of the error for humans.' },
    code: { type: 'string' },
  },
};

/** The response of `/health/…`. */
export const HEALTH: JsonSchema = {
  type: 'object',
  required: ['status'],
  properties: {
    status: { enum: ['ok', 'unavailable', 'draining'] },
    parts: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'For each part: `ok`, or the reason why it does not work.',
    },
  },
};
