// The OpenAPI 3.1 document, assembled from the routes and from the schemas that also validate requests.
import type { Route } from '../route.ts';
import { allowedMethods } from '../router.ts';
import { notAllowed } from './error-responses.ts';
import { EXECUTION, eventSchemas, HEALTH, type JsonSchema, messageSchemas, PROBLEM } from './schemas.ts';
import { SECURITY_SCHEMES } from './stream-tokens.ts';

const INTRODUCTION = `Live, resumable streams of workflow, agent and task executions.

Each message of a stream has its cursor in \`id:\`. A request with that cursor as \`Last-Event-ID\` resumes the stream
after the message. A stream ends after \`complete\` or \`error\`; if it ends without them, the connection was rotated:
reconnect with the cursor. After the end of the execution the response is 204, which stops a browser's EventSource.

The same streams are GraphQL subscriptions at \`/graphql\`, which has its own schema.`;

/** The document that `/openapi.json` serves. */
export function openApiDocument(version: string, routes: readonly Route[]): JsonSchema {
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
      { name: 'access', description: 'Authenticate clients that cannot send headers.' },
      { name: 'health', description: 'Liveness, readiness and metrics.' },
      { name: 'pages', description: 'Web pages, and this document.' },
    ],
    security: [{}, { bearer: [] }, { streamToken: [] }, { streamCookie: [] }],
    paths: pathsOf(routes),
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

/** The operations by path and method, each with the 405 of its path. */
function pathsOf(routes: readonly Route[]): Record<string, JsonSchema> {
  const described = [...new Set(routes.flatMap(({ path, openApi }) => (openApi ? path : [])))];
  return Object.fromEntries(
    described.map((path) => {
      const ofPath = routes.filter((route) => route.path === path);
      return [path, operationsOf(ofPath)];
    }),
  );
}

function operationsOf(routes: readonly Route[]): JsonSchema {
  const methodNotAllowed = notAllowed(allowedMethods(routes));
  const operations = routes.flatMap(({ method, openApi }) => {
    if (!openApi) return [];
    const { responses, ...operation } = openApi() as { responses: object };
    return [[method.toLowerCase(), { ...operation, responses: { ...responses, 405: methodNotAllowed } }]];
  });
  const live = answer('It does.', { status: 'ok' });
  const ready = answer('All do.', { status: 'ok', parts: { log: 'ok', database: 'ok' } });
  const metrics = {
    description: 'The text format of Prometheus.',
    content: { 'text/plain': { schema: { type: 'string' } } },
  };
  const unready = answer('`parts` says which does not.', {
    status: 'unavailable',
    parts: { log: 'ok', database: 'database of executions is unavailable' },
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
