// The paths of publishing over HTTP.
import { EVENT_TYPES, type ExecutionKind } from '../../event/types.ts';
import { BEGIN } from '../publishing/publishing.ts';
import { BAD_PARAMETER, FORBIDDEN, NOT_ALLOWED, problemAnswer, UNAVAILABLE, UNKNOWN } from './answers.ts';
import { type JsonSchema, toJsonSchema } from './schemas.ts';

const SUPERSEDED = problemAnswer(
  409,
  'Conflict',
  'SUPERSEDED',
  'another attempt or publisher has execution report-42 (attempt 2)',
  'A newer attempt or another publisher has the execution (`SUPERSEDED`), or it has ended (`ENDED`).',
);

const TOO_LARGE = problemAnswer(
  413,
  'Content Too Large',
  'EVENT_TOO_LARGE',
  'the body is larger than 262144 bytes; send several batches',
  'The batch is above 256 KiB, or an event that cannot be split above 64 KiB.',
);

const WRONG = problemAnswer(
  422,
  'Unprocessable Content',
  'BAD_USER_INPUT',
  'events.0: unknown type "nonsense"',
  'Well-formed, and wrong: `detail` names the field or the event.',
);

const TOO_MANY = problemAnswer(
  429,
  'Too Many Requests',
  'TOO_MANY_REQUESTS',
  'more batches wait than are taken; send the next one after the answer to the last',
  'Back-pressure: send the next batch after the answer to the last.',
);

const REFUSALS = {
  400: BAD_PARAMETER,
  403: FORBIDDEN,
  405: NOT_ALLOWED,
  409: SUPERSEDED,
  413: TOO_LARGE,
  422: WRONG,
  503: UNAVAILABLE,
};

const headerParameter = (name: string, description: string, example: string) => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string', minLength: 1, maxLength: 200 },
  example,
});

/** `PUT …/{id}`. */
export function beginOperation(kind: ExecutionKind, name: string, id: JsonSchema): JsonSchema {
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
    operationId: `begin${name}`,
    summary: `Begin ${kind === 'agent' ? 'an' : 'a'} ${kind} execution, or a new attempt of it`,
    description:
      'Without `attempt`, the next one. A new attempt voids what the one before has published (`reset`), and refuses its token.',
    parameters: [id],
    requestBody: { required: true, content: { 'application/json': { schema: toJsonSchema(BEGIN) } } },
    responses: {
      201: { description: 'It has begun.', content: { 'application/json': { schema: answer } } },
      ...REFUSALS,
    },
  };
}

/** `POST …/{id}/events`. */
export function appendOperation(_kind: ExecutionKind, name: string, id: JsonSchema): JsonSchema {
  const event = (type: string) => ({
    type: 'object',
    required: ['type', 'data'],
    properties: {
      type: { const: type },
      data: { $ref: `#/components/schemas/${type}` },
      ts: { type: 'string', format: 'date-time', description: 'When it happened; now by default.' },
    },
  });
  const sendable = EVENT_TYPES.filter((type) => type !== 'reset' && type !== 'gap');
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
    operationId: `append${name}Events`,
    summary: 'Append a batch of events',
    description:
      'Once for its key: sent again, it is answered alike. `complete` or `error` ends the execution; `durationMs` may be left out, and so may a `result` that the events add up to.',
    parameters: [
      id,
      headerParameter('Publisher-Token', 'What the beginning was answered with.', 'b3JkZXI'),
      headerParameter('Idempotency-Key', 'Names this batch.', 'batch-17'),
    ],
    requestBody: { required: true, content: { 'application/json': { schema: batch } } },
    responses: {
      200: {
        description: 'It stands in the log.',
        content: { 'application/json': { schema: answer, example: { head: 42 } } },
      },
      404: UNKNOWN,
      429: TOO_MANY,
      ...REFUSALS,
    },
  };
}
