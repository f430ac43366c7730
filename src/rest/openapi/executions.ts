// The operations that read an execution: its state, and its stream.
import { CATALOGUE, EVENT_TYPES, type ExecutionKind } from '../../event/events.ts';
import { DEFAULT_QUOTAS } from '../../execution/quotas.ts';
import {
  BAD_ID,
  BAD_PARAMETER,
  FORBIDDEN,
  NOT_ACCEPTABLE,
  overQuota,
  STREAM_UNAVAILABLE,
  TOO_MANY_STREAMS,
  UNAUTHENTICATED,
  UNAVAILABLE,
  UNKNOWN,
} from './error-responses.ts';
import { EXAMPLES } from './examples.ts';
import type { JsonSchema } from './json-schema.ts';
import { kindName, withArticle } from './kind-names.ts';
import { ID, STATE_PARAMETERS, STREAM_PARAMETERS } from './parameters.ts';

/** `GET …/{id}`. */
export function stateOperation(kind: ExecutionKind): JsonSchema {
  return {
    tags: ['executions'],
    operationId: `get${kindName(kind)}`,
    summary: `The state of ${withArticle(kind)} execution`,
    parameters: [ID, ...STATE_PARAMETERS],
    responses: {
      200: {
        description: 'The state.',
        content: {
          'application/json': {
            schema: { $ref: '#/components/schemas/Execution' },
            example: EXAMPLES[kind].state,
          },
        },
      },
      400: BAD_ID,
      401: UNAUTHENTICATED,
      403: FORBIDDEN,
      404: UNKNOWN,
      429: overQuota('queries', DEFAULT_QUOTAS.queries),
      503: UNAVAILABLE,
    },
  };
}

/** `GET …/{id}/stream`. */
export function streamOperation(kind: ExecutionKind): JsonSchema {
  const types = EVENT_TYPES.filter((type) => CATALOGUE[type].includes(kind));
  return {
    tags: ['executions'],
    operationId: `stream${kindName(kind)}`,
    summary: `The events of ${withArticle(kind)} execution: after a cursor, then live`,
    description: `Each message has \`id:\` (its cursor), \`event:\` (its type) and \`data:\`. Types: ${types
      .map((type) => `\`${type}\``)
      .join(', ')}; the schemas of their data have the same names.`,
    parameters: STREAM_PARAMETERS,
    responses: {
      200: {
        description: 'The stream.',
        headers: { 'X-Accel-Buffering': { schema: { const: 'no' } } },
        content: {
          'text/event-stream': {
            // Without a type and a media type, so that it holds for the text and for each event: generated clients
            // return one or the other.
            schema: {
              description: 'Server-sent events; `contentSchema` describes the parsed messages.',
              contentSchema: {
                type: 'array',
                items: { $ref: `#/components/schemas/${kindName(kind)}Message` },
              },
            },
            example: EXAMPLES[kind].stream,
          },
        },
      },
      204: { description: 'The execution has ended, and no events remain after this cursor.' },
      400: BAD_PARAMETER,
      401: UNAUTHENTICATED,
      403: FORBIDDEN,
      404: UNKNOWN,
      406: NOT_ACCEPTABLE,
      429: TOO_MANY_STREAMS,
      503: STREAM_UNAVAILABLE,
    },
  };
}
