// The OpenAPI 3.1 document, assembled from the routes and from the schemas that also validate requests.
import type { Route } from '../route.ts';
import { allowedMethods } from '../router.ts';
import { notAllowed } from './error-responses.ts';
import { EXECUTION, eventSchemas, HEALTH, type JsonSchema, messageSchemas, PROBLEM } from './schemas.ts';
import { SECURITY_SCHEMES } from './stream-tokens.ts';

const INTRODUCTION = `Live, resumable streams of workflow, agent and task executions.

Each message of a stream carries its cursor as \`id:\`. Sent back as \`Last-Event-ID\`, it resumes the stream right
behind it. A stream ends after \`complete\` or \`error\`; one that ends without them was rotated: come back with the
cursor. Once the end has been seen, the answer is 204, at which a browser's EventSource stops.

The same streams are GraphQL subscriptions at \`/graphql\`, whose schema is a document of its own.`;

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
      { name: 'access', description: 'Let in a client that sends no headers.' },
      { name: 'health', description: 'Whether the server works.' },
      { name: 'pages', description: 'For people, and for their tools.' },
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
  return Object.fromEntries(operations);
}
