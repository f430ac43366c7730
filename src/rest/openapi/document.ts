// The OpenAPI 3.1 document of the paths beside GraphQL, made from the same schemas that check what they take.
import { CATALOGUE, EVENT_TYPES, type ExecutionKind } from '../../event/types.ts';
import { POLL_MS } from '../../schema/stream.ts';
import { KINDS } from '../parameters.ts';
import { BAD_PARAMETER, FORBIDDEN, NOT_ACCEPTABLE, NOT_ALLOWED, UNAVAILABLE, UNKNOWN } from './answers.ts';
import { appendOperation, beginOperation } from './publishing.ts';
import { EXECUTION, eventSchemas, type JsonSchema, PROBLEM } from './schemas.ts';

const INTRODUCTION = `Live, resumable streams of workflow, agent and task executions.

Each message of a stream carries its cursor as \`id:\`. Sent back as \`Last-Event-ID\`, it resumes the stream right
behind it. A stream ends after \`complete\` or \`error\`; one that ends without them was rotated: come back with the
cursor. Once the end has been seen, the answer is 204, at which a browser's EventSource stops.`;

const ID = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'The execution, percent-encoded.',
  schema: { type: 'string', minLength: 1, maxLength: 200, pattern: '^[A-Za-z0-9._:~@+/-]+$' },
};

const CURSOR_SCHEMA = { type: 'string', pattern: '^(0|[1-9][0-9]*)(-[0-9a-z]{10,16})?$' };

const STREAM_PARAMETERS = [
  ID,
  {
    name: 'Last-Event-ID',
    in: 'header',
    description: 'The cursor of the last message that was read. Wins over `last_event_id`.',
    schema: CURSOR_SCHEMA,
    example: '42-k3f9ab01zz',
  },
  {
    name: 'last_event_id',
    in: 'query',
    description: 'The same, for clients that cannot set a header on their first request.',
    schema: CURSOR_SCHEMA,
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

const STREAM_EXAMPLE = `retry: 1000
:

id: 1-k3f9ab01zz
event: agent_start
data: {"agentId":"writer"}

id: 2-k3f9ab01zz
event: llm_chunk
data: Hello, world

id: 3-k3f9ab01zz
event: complete
data: {"status":"SUCCESS","durationMs":12,"result":"Hello, world"}

`;

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
      { name: 'health', description: 'Whether the server works.' },
    ],
    security: [{}],
    paths: {
      ...Object.fromEntries(Object.entries(KINDS).flatMap(([plural, kind]) => executionPaths(plural, kind))),
      ...healthPaths(),
    },
    components: {
      schemas: { Execution: EXECUTION, Problem: PROBLEM, ...eventSchemas() },
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
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Execution' } } },
      },
      400: BAD_PARAMETER,
      403: FORBIDDEN,
      404: UNKNOWN,
      405: NOT_ALLOWED,
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
            schema: { type: 'string', description: 'Server-sent events.' },
            example: STREAM_EXAMPLE,
          },
        },
      },
      204: { description: 'The execution has ended, and nothing is left for this cursor and these types.' },
      400: BAD_PARAMETER,
      403: FORBIDDEN,
      404: UNKNOWN,
      405: NOT_ALLOWED,
      406: NOT_ACCEPTABLE,
      503: UNAVAILABLE,
    },
  };
}

function healthPaths(): Record<string, JsonSchema> {
  const json = (example: object) => ({ 'application/json': { schema: { type: 'object' }, example } });
  return {
    '/health/live': {
      get: {
        tags: ['health'],
        operationId: 'live',
        summary: 'Whether the process answers',
        responses: { 200: { description: 'It does.', content: json({ status: 'ok' }) }, 405: NOT_ALLOWED },
      },
    },
    '/health/ready': {
      get: {
        tags: ['health'],
        operationId: 'ready',
        summary: 'Whether every part answers',
        responses: {
          200: {
            description: 'All do.',
            content: json({ status: 'ok', parts: { log: 'ok', database: 'ok' } }),
          },
          405: NOT_ALLOWED,
          503: { description: '`parts` says which does not.', content: json({ status: 'unavailable' }) },
        },
      },
    },
  };
}

function article(kind: ExecutionKind): string {
  return kind === 'agent' ? 'an agent' : `a ${kind}`;
}
