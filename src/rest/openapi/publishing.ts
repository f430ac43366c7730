// The paths of publishing over HTTP.

import {
  CATALOGUE,
  EVENT_TYPES,
  type EventType,
  type ExecutionKind,
  isTerminal,
  type TerminalType,
} from '../../event/events.ts';
import { EVENT_DATA } from '../../event/validation.ts';
import { DEFAULT_QUOTAS } from '../../execution/quotas.ts';
import { BEGIN } from '../publish-api/begin.ts';
import {
  BAD_BODY,
  BAD_HEADER,
  CANNOT_APPEND,
  CANNOT_BEGIN,
  OTHER_TENANT,
  overQuota,
  TOO_LARGE,
  TOO_MANY,
  UNAUTHENTICATED,
  UNAVAILABLE,
  UNKNOWN,
  UNKNOWN_PARENT,
  WRONG_BEGIN,
  WRONG_EVENT,
} from './error-responses.ts';
import { STORIES, STORY_EPOCH } from './examples.ts';
import { ID, kindName, withArticle } from './kinds.ts';
import { type JsonSchema, toJsonSchema } from './schemas.ts';

const TOKEN = 'mE6u0b3Qk1nYwz8xTf2RVdJ7aHs5PcLg';

const headerParameter = (name: string, description: string, example: string) => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string', minLength: 1, maxLength: 200 },
  example,
});

/** `PUT …/{id}`. */
export function beginOperation(kind: ExecutionKind): JsonSchema {
  const answer = {
    type: 'object',
    required: ['token', 'epoch', 'head', 'attempt'],
    properties: {
      token: { type: 'string', description: 'What the batches carry as `Publisher-Token`.' },
      epoch: { type: 'string' },
      head: { type: 'integer', description: 'The seq of the last event.' },
      attempt: { type: 'integer' },
    },
  };
  return {
    tags: ['publishing'],
    operationId: `begin${kindName(kind)}`,
    summary: `Begin ${withArticle(kind)} execution, or a new attempt of it`,
    description:
      'Without `attempt`, the next one. A new attempt voids what the one before has published (`reset`), and refuses its token.',
    parameters: [ID],
    requestBody: {
      required: true,
      content: { 'application/json': { schema: toJsonSchema(BEGIN), example: STORIES[kind].begin } },
    },
    responses: {
      201: {
        description: 'It has begun.',
        content: {
          'application/json': {
            schema: answer,
            example: { token: TOKEN, epoch: STORY_EPOCH, head: 1, attempt: 1 },
          },
        },
      },
      400: BAD_BODY,
      401: UNAUTHENTICATED,
      403: OTHER_TENANT,
      404: UNKNOWN_PARENT,
      409: CANNOT_BEGIN,
      413: TOO_LARGE,
      422: WRONG_BEGIN,
      429: overQuota('begun executions', DEFAULT_QUOTAS.begins),
      503: UNAVAILABLE,
    },
  };
}

/** `POST …/{id}/events`. */
export function appendOperation(kind: ExecutionKind): JsonSchema {
  const event = (type: EventType) => ({
    title: type,
    type: 'object',
    required: ['type', 'data'],
    properties: {
      type: { const: type },
      data: isTerminal(type) ? endSchema(type) : { $ref: `#/components/schemas/${type}` },
      ts: { type: 'string', format: 'date-time', description: 'When it happened; now by default.' },
    },
  });
  const sendable = EVENT_TYPES.filter(
    (type) => CATALOGUE[type].includes(kind) && type !== 'reset' && type !== 'gap',
  );
  const batch = {
    type: 'object',
    required: ['events'],
    properties: {
      events: {
        type: 'array',
        maxItems: 1_000,
        description: 'Appended whole, or not at all. None: a sign of life.',
        items: { oneOf: sendable.map(event) },
      },
    },
  };
  const answer = { type: 'object', required: ['head'], properties: { head: { type: 'integer' } } };
  return {
    tags: ['publishing'],
    operationId: `append${kindName(kind)}Events`,
    summary: 'Append a batch of events',
    description:
      'Once for its key: sent again, it is answered alike. `complete` or `error` ends the execution; `durationMs` may be left out, and so may a `result` that the events add up to.',
    parameters: [
      ID,
      headerParameter('Publisher-Token', 'What the beginning was answered with.', TOKEN),
      headerParameter(
        'Idempotency-Key',
        'Identifies this batch. Another batch under the same key is 422.',
        'batch-17',
      ),
      {
        name: 'Publisher-Head',
        in: 'header',
        description:
          'The `head` of the last answer: a log that was put back to an older state is found out by it.',
        schema: { type: 'integer', minimum: 0 },
        example: 2,
      },
    ],
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: batch,
          examples: { batch: { value: STORIES[kind].batch }, end: { value: STORIES[kind].end } },
        },
      },
    },
    responses: {
      200: {
        description: 'It stands in the log.',
        content: {
          'application/json': {
            schema: answer,
            examples: { batch: { value: { head: 3 } }, end: { value: { head: 4 } } },
          },
        },
      },
      400: BAD_HEADER,
      401: UNAUTHENTICATED,
      404: UNKNOWN,
      409: CANNOT_APPEND,
      413: TOO_LARGE,
      422: WRONG_EVENT,
      429: TOO_MANY,
      503: UNAVAILABLE,
    },
  };
}

/** The data of an end as it may be sent: `durationMs` is the row's to say, and `complete` means success. */
function endSchema(type: TerminalType): JsonSchema {
  const { required, ...schema } = toJsonSchema(EVENT_DATA[type]) as { required: string[] };
  const needed = type === 'error' ? required.filter((field) => field !== 'durationMs') : [];
  return { ...schema, required: needed };
}
