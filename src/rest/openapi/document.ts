// The OpenAPI 3.1 document of the paths beside GraphQL, made from the same schemas that check what they take.
import { CATALOGUE, EVENT_TYPES, type ExecutionKind } from '../../event/events.ts';
import { DEFAULT_QUOTAS } from '../../execution/quotas.ts';
import { POLL_MS } from '../../schema/streams.ts';
import { KINDS } from '../parameters.ts';
import {
  BAD_ID,
  BAD_PARAMETER,
  FORBIDDEN,
  NOT_ACCEPTABLE,
  notAllowed,
  overQuota,
  STREAM_UNAVAILABLE,
  TOO_MANY_STREAMS,
  UNAUTHENTICATED,
  UNAVAILABLE,
  UNKNOWN,
} from './error-responses.ts';
import { STORIES } from './examples.ts';
import { appendOperation, beginOperation } from './publishing.ts';
import {
  CURSOR,
  EXECUTION,
  eventSchemas,
  HEALTH,
  type JsonSchema,
  messageSchemas,
  PROBLEM,
} from './schemas.ts';
import { SECURITY_SCHEMES, streamTokenPaths } from './stream-tokens.ts';

const INTRODUCTION = `Live, resumable streams of workflow, agent and task executions.

Each message of a stream carries its cursor as \`id:\`. Sent back as \`Last-Event-ID\`, it resumes the stream right
behind it. A stream ends after \`complete\` or \`error\`; one that ends without them was rotated: come back with the
cursor. Once the end has been seen, the answer is 204, at which a browser's EventSource stops.

The same streams are GraphQL subscriptions at \`/graphql\`, whose schema is a document of its own.`;

const ID = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'The execution, percent-encoded.',
  schema: { type: 'string', minLength: 1, maxLength: 200, pattern: '^[A-Za-z0-9._:~@+/-]+$' },
};

const STREAM_PARAMETERS = [
  ID,
  {
    name: 'Last-Event-ID',
    in: 'header',
    description: 'The cursor of the last message that was read. Wins over `last_event_id`.',
    schema: CURSOR,
    example: '42-k3f9ab01zzq4',
  },
  {
    name: 'last_event_id',
    in: 'query',
    description: 'The same, for clients that cannot set a header on their first request.',
    schema: CURSOR,
  },
  {
    name: 'events',
    in: 'query',
    description: 'Only these types. `reset` and `gap` always come, and the end closes the stream.',
    style: 'form',
    explode: false,
    schema: { type: 'array', items: { enum: EVENT_TYPES } },
  },
  {
    name: 'poll_ms',
    in: 'query',
    description: 'How often a source that announces nothing is asked, in milliseconds.',
    schema: { type: 'integer', minimum: POLL_MS.least, maximum: POLL_MS.most, default: POLL_MS.default },
  },
];

/** The document, as `/openapi.json` answers it. */
export function openApiDocument(version: string): JsonSchema {
  return {
    openapi: '3.1.0',
    info: {
      title: 'execstream',
      version,
      description: INTRODUCTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: [
      { name: 'executions', description: 'Watch executions.' },
      { name: 'publishing', description: 'Publish executions, from any language.' },
      { name: 'access', description: 'Let in a client that sends no headers.' },
      { name: 'health', description: 'Whether the server works.' },
      { name: 'pages', description: 'For people, and for their tools.' },
    ],
    security: [{}, { bearer: [] }, { streamToken: [] }, { streamCookie: [] }],
    paths: {
      ...Object.fromEntries(Object.entries(KINDS).flatMap(([plural, kind]) => executionPaths(plural, kind))),
      ...streamTokenPaths(),
      ...healthPaths(),
      ...pagePaths(),
    },
    components: {
      securitySchemes: SECURITY_SCHEMES,
      schemas: {
        Execution: EXECUTION,
        Health: HEALTH,
        Problem: PROBLEM,
        ...messageSchemas(),
        ...eventSchemas(),
      },
    },
  };
}

function executionPaths(plural: string, kind: ExecutionKind): [string, JsonSchema][] {
  const path = `/api/v0/executions/${plural}/{id}`;
  const name = kind[0]!.toUpperCase() + kind.slice(1);
  return [
    [path, { get: stateOperation(kind, name), put: beginOperation(kind, name, ID) }],
    [`${path}/stream`, { get: streamOperation(kind, name) }],
    [`${path}/events`, { post: appendOperation(kind, name, ID) }],
  ];
}

function stateOperation(kind: ExecutionKind, name: string): JsonSchema {
  return {
    tags: ['executions'],
    operationId: `get${name}`,
    summary: `The state of ${article(kind)} execution`,
    parameters: [ID],
    responses: {
      200: {
        description: 'The state.',
        content: {
          'application/json': {
            schema: { $ref: '#/components/schemas/Execution' },
            example: STORIES[kind].state,
          },
        },
      },
      400: BAD_ID,
      401: UNAUTHENTICATED,
      403: FORBIDDEN,
      404: UNKNOWN,
      405: notAllowed('GET', 'PUT', 'HEAD'),
      429: overQuota('queries', DEFAULT_QUOTAS.queries),
      503: UNAVAILABLE,
    },
  };
}

function streamOperation(kind: ExecutionKind, name: string): JsonSchema {
  const types = EVENT_TYPES.filter((type) => CATALOGUE[type].includes(kind));
  return {
    tags: ['executions'],
    operationId: `stream${name}`,
    summary: `The events of ${article(kind)} execution, from a cursor on, then live`,
    description: `Each message has \`id:\` (its cursor), \`event:\` (its type) and \`data:\`. Types: ${types
      .map((type) => `\`${type}\``)
      .join(', ')}; the schemas of their data stand under the same names.`,
    parameters: STREAM_PARAMETERS,
    responses: {
      200: {
        description: 'The stream.',
        headers: { 'X-Accel-Buffering': { schema: { const: 'no' } } },
        content: {
          'text/event-stream': {
            schema: {
              type: 'string',
              description: 'Server-sent events; `contentSchema` is what a client makes of them.',
              contentMediaType: 'text/event-stream',
              contentSchema: { type: 'array', items: { $ref: `#/components/schemas/${name}Message` } },
            },
            example: STORIES[kind].stream,
          },
        },
      },
      204: { description: 'The execution has ended, and nothing is left for this cursor and these types.' },
      400: BAD_PARAMETER,
      401: UNAUTHENTICATED,
      403: FORBIDDEN,
      404: UNKNOWN,
      405: notAllowed('GET', 'HEAD'),
      406: NOT_ACCEPTABLE,
      429: TOO_MANY_STREAMS,
      503: STREAM_UNAVAILABLE,
    },
  };
}

function healthPaths(): Record<string, JsonSchema> {
  const answer = (description: string, example: object) => ({
    description,
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Health' }, example } },
  });
  const live = answer('It does.', { status: 'ok' });
  const ready = answer('All do.', { status: 'ok', parts: { log: 'ok', database: 'ok' } });
  const metrics = {
    description: 'The text format of Prometheus.',
    content: { 'text/plain': { schema: { type: 'string' } } },
  };
  const unready = answer('`parts` says which does not.', {
    status: 'unavailable',
    parts: { log: 'ok', database: 'The database of executions does not answer' },
  });
  return {
    '/health/live': get('health', 'live', 'Whether the process answers', { 200: live }),
    '/health/ready': get('health', 'ready', 'Whether every part answers', { 200: ready, 503: unready }),
    '/metrics': get('health', 'metrics', 'What Prometheus is told', { 200: metrics }),
  };
}

function pagePaths(): Record<string, JsonSchema> {
  const page = (description: string) => ({
    200: { description, content: { 'text/html': { schema: { type: 'string' } } } },
  });
  const document = {
    200: { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: { type: 'object' } } } },
  };
  return {
    '/': get('pages', 'console', 'The executions, and one followed live', page('The console.')),
    '/docs': get('pages', 'docs', 'This document, to be read', page('Rendered without any outside host.')),
    '/openapi.json': get('pages', 'openApi', 'This document', document),
  };
}

function get(tag: string, operationId: string, summary: string, responses: object): JsonSchema {
  return {
    get: { tags: [tag], operationId, summary, responses: { ...responses, 405: notAllowed('GET', 'HEAD') } },
  };
}

function article(kind: ExecutionKind): string {
  return kind === 'agent' ? 'an agent' : `a ${kind}`;
}
