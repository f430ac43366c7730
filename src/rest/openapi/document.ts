// The OpenAPI 3.1 document, assembled from the routes and from the schemas that also validate requests.
import type { Route } from '../route.ts';
import { allowedMethods } from '../router.ts';
import { notAllowed } from './error-responses.ts';
import {
  EXECUTION_SCHEMA,
  eventSchemas,
  HEALTH,
  type JsonSchema,
  messageSchemas,
  PROBLEM,
} from './schemas.ts';
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

function operationsOf(routes: readonly Route[]): JsonSchema {
  const methodNotAllowed = notAllowed(allowedMethods(routes));
  const operations = routes.flatMap(({ method, openApi }) => {
    if (!openApi) return [];
    const { responses, ...operation } = openApi() as { responses: object };
    return [[method.toLowerCase(), { ...operation, responses: { ...responses, 405: methodNotAllowed } }]];
  });
  return Object.fromEntries(operations);
}
