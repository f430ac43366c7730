// The operations that publish over HTTP.
import {
  EVENT_TYPES,
  type EventType,
  type ExecutionKind,
  isPublishable,
  isTerminal,
  type TerminalType,
} from '../../event/events.ts';
import { EVENT_DATA } from '../../event/validation.ts';
import { MAX_ATTEMPT, MAX_ATTEMPT_STEP } from '../../execution/attempt-rules.ts';
import { DEFAULT_QUOTAS } from '../../execution/quotas.ts';
import { BEGIN } from '../publish-api/begin.ts';
import { EVENT_TIME } from '../publish-api/events.ts';
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
  UNSUPPORTED_CODING,
  WRONG_BEGIN,
  WRONG_EVENT,
} from './error-responses.ts';
import { EXAMPLE_EPOCH, EXAMPLES } from './examples.ts';
import { type JsonSchema, toJsonSchema } from './json-schema.ts';
import { kindName, withArticle } from './kind-names.ts';
import { CHOSEN_TOKEN, headerParameter, ID, PUBLISHER_HEAD } from './parameters.ts';
import { EXECUTION_ID } from './schemas.ts';

const TOKEN = 'mE6u0b3Qk1nYwz8xTf2RVdJ7aHs5PcLg';

const TIME = {
  ...toJsonSchema(EVENT_TIME),
  description: 'When the event occurred: from 7 days ago to 1 hour ahead. By default, the current time.',
};

/** The body of `PUT …/{id}` with the rules that are checked after its shape. */
function beginSchema(): JsonSchema {
  const { properties, ...schema } = toJsonSchema(BEGIN) as { properties: { [name: string]: JsonSchema } };
  const storable = { pattern: '^[^\\u0000]*$' };
  return {
    ...schema,
    properties: {
      ...properties,
      attempt: { ...properties.attempt, maximum: MAX_ATTEMPT, description: ATTEMPT },
      name: { ...properties.name, ...storable },
      parentId: { ...EXECUTION_ID, description: 'An execution that exists.' },
      tenant: { ...properties.tenant, ...storable, description: "The caller's own tenant." },
      lost: {
        ...properties.lost,
        description: 'The log that was lost: a new epoch of it begins, with a `reset`.',
      },
    },
  };
}

const ATTEMPT = `Up to ${MAX_ATTEMPT_STEP} above the previous attempt. By default, the next one.`;

/** `PUT …/{id}`. */
export function beginOperation(kind: ExecutionKind): JsonSchema {
  const response = {
    type: 'object',
    required: ['token', 'epoch', 'head', 'attempt'],
    properties: {
      token: { type: 'string', description: 'For the header `Publisher-Token` of subsequent batches.' },
      epoch: { type: 'string' },
      head: { type: 'integer', description: 'The seq of the last event.' },
      attempt: { type: 'integer', minimum: 1, maximum: MAX_ATTEMPT },
    },
  };
  return {
    tags: ['publishing'],
    operationId: `begin${kindName(kind)}`,
    summary: `Begin ${withArticle(kind)} execution or a new attempt`,
    description:
      '`attempt` is the next one by default. A new attempt discards the events of the previous one (`reset`) and invalidates its token.',
    parameters: [ID, CHOSEN_TOKEN],
    requestBody: {
      required: true,
      content: { 'application/json': { schema: beginSchema(), example: EXAMPLES[kind].begin } },
    },
    responses: {
      201: {
        description: 'The execution was begun.',
        links: {
          append: {
            operationId: `append${kindName(kind)}Events`,
            parameters: { id: '$request.path.id', 'Publisher-Token': '$response.body#/token' },
          },
        },
        content: {
          'application/json': {
            schema: response,
            example: { token: TOKEN, epoch: EXAMPLE_EPOCH, head: 1, attempt: 1 },
          },
        },
      },
      400: BAD_BODY,
      401: UNAUTHENTICATED,
      403: OTHER_TENANT,
      404: UNKNOWN_PARENT,
      409: CANNOT_BEGIN,
      413: TOO_LARGE,
      415: UNSUPPORTED_CODING,
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
    additionalProperties: false,
    properties: {
      type: { const: type },
      data: dataSchema(type),
      ts: TIME,
    },
  });
  const publishable = EVENT_TYPES.filter((type) => isPublishable(type, kind) && type !== 'gap');
  const batch = {
    type: 'object',
    required: ['events'],
    additionalProperties: false,
    properties: {
      events: {
        type: 'array',
        maxItems: 1_000,
        description: 'Appended atomically. An empty batch is a heartbeat.',
        items: { oneOf: publishable.map(event) },
      },
      epoch: {
        type: 'string',
        description:
          'The `epoch` of the response to `PUT`: a batch for another epoch of the log is rejected (409).',
        example: EXAMPLE_EPOCH,
      },
      attempt: {
        type: 'integer',
        minimum: 1,
        maximum: MAX_ATTEMPT,
        description: 'The `attempt` of the response to `PUT`: a batch of a former attempt is rejected (409).',
      },
      abandon: {
        const: true,
        description: 'Gives up this attempt: no heartbeat is expected until the next one begins.',
      },
    },
  };
  const response = { type: 'object', required: ['head'], properties: { head: { type: 'integer' } } };
  return {
    tags: ['publishing'],
    operationId: `append${kindName(kind)}Events`,
    summary: 'Append a batch of events',
    description:
      'Idempotent by key: a repeated batch gets the same response. `complete` or `error` ends the execution. `durationMs` is optional, and so is `result` if it is the text or value of the events.',
    parameters: [
      ID,
      headerParameter('Publisher-Token', 'The `token` of the response to `PUT`.', TOKEN),
      headerParameter(
        'Idempotency-Key',
        'Identifies this batch. Another batch with the same key is rejected (422).',
        'batch-17',
      ),
      PUBLISHER_HEAD,
    ],
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: batch,
          examples: { batch: { value: EXAMPLES[kind].batch }, end: { value: EXAMPLES[kind].end } },
        },
      },
    },
    responses: {
      200: {
        description: 'The batch was appended.',
        content: {
          'application/json': {
            schema: response,
            examples: { batch: { value: { head: 3 } }, end: { value: { head: 4 } } },
          },
        },
      },
      400: BAD_HEADER,
      401: UNAUTHENTICATED,
      404: UNKNOWN,
      409: CANNOT_APPEND,
      413: TOO_LARGE,
      415: UNSUPPORTED_CODING,
      422: WRONG_EVENT,
      429: TOO_MANY,
      503: UNAVAILABLE,
    },
  };
}

/** The data of an event in a request. */
function dataSchema(type: EventType): JsonSchema {
  if (isTerminal(type)) return endSchema(type);
  const schema = toJsonSchema(EVENT_DATA[type]);
  return type === 'reset' ? { ...schema, properties: { reason: { const: 'overflow' } } } : schema;
}

/**
 * The data of a terminal event in a request: `durationMs` comes from the row, and `status` of `complete` is implied.
 */
function endSchema(type: TerminalType): JsonSchema {
  const { required, ...schema } = toJsonSchema(EVENT_DATA[type]) as { required: string[] };
  const requiredFields = type === 'error' ? required.filter((field) => field !== 'durationMs') : [];
  return { ...schema, required: requiredFields };
}
