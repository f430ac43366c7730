// The OpenAPI 3.1 document, assembled from the routes and from the schemas that also validate requests.
import type { Route } from '../route.ts';
import { allowedMethods } from '../router.ts';
import { notAllowed } from './error-responses.ts';
import { EXECUTION_SCHEMA } from './execution-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import { eventSchemas, HEALTH, messageSchemas, PROBLEM } from './schemas.ts';
import { SECURITY_SCHEMES } from './stream-tokens.ts';

const INTRODUCTION = `Live, resumable streams of workflow, agent and task executions.

Each message of a stream has its cursor in \`id:\`. A request with that cursor as \`Last-Event-ID\` resumes the stream
after the message. A stream ends after \`complete\` or \`error\`; if it ends without them, the connection was rotated:
reconnect with the cursor. After the end of the execution the response is 204, which stops a browser's EventSource.

The same streams are GraphQL subscriptions at \`/graphql\`, which has its own schema.`;

/**
 * The document that `/openapi.json` serves.
 * @param basePath the path that precedes those of the routes, without a trailing slash
 */
export function openApiDocument(version: string, routes: readonly Route[], basePath = ''): JsonSchema {
  return {
    openapi: '3.1.0',
    info: {
      title: 'execstream',
      version,
      description: INTRODUCTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: basePath || '/' }],
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
        Execution: EXECUTION_SCHEMA,
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

interface Responses {
  readonly [status: string]: { readonly content?: { readonly [mediaType: string]: unknown } };
}

function isStream(responses: Responses): boolean {
  return responses[200]?.content?.['text/event-stream'] !== undefined;
}

/**
 * Describes the errors of a stream as `application/*`. Clients that OpenAPI Generator creates (for Python, Java and C#)
 * send `Accept` with a JSON type alone if a response of the operation has one, and would get 406.
 */
function withoutJson(responses: Responses): Responses {
  const entries = Object.entries(responses).map(([status, { content = {}, ...response }]) => {
    const { [PROBLEM_JSON]: error, ...others } = content;
    const described = error === undefined ? others : { ...others, 'application/*': error };
    return [status, Object.keys(described).length > 0 ? { ...response, content: described } : response];
  });
  return Object.fromEntries(entries);
}

const PROBLEM_JSON = 'application/problem+json';

function operationsOf(routes: readonly Route[]): JsonSchema {
  const methodNotAllowed = notAllowed(allowedMethods(routes));
  const operations = routes.flatMap(({ method, openApi }) => {
    if (!openApi) return [];
    const { responses, ...operation } = openApi() as { responses: Responses };
    const all = { ...responses, 405: methodNotAllowed };
    return [
      [method.toLowerCase(), { ...operation, responses: isStream(responses) ? withoutJson(all) : all }],
    ];
  });
  return Object.fromEntries(operations);
}
