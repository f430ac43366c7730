// The one table of paths: method, access, OpenAPI operation, page policy and handler of each route.
import type { ExecutionKind } from '../event/events.ts';
import { consolePage } from './console.ts';
import { showExecution, streamExecution } from './executions.ts';
import { isGraphiqlRequest, serveGraphQL } from './graphql-endpoint.ts';
import { live } from './health.ts';
import { openApiDocument } from './openapi/document.ts';
import { stateOperation, streamOperation } from './openapi/executions.ts';
import { docsAsset, docsPage, openApiJson } from './openapi/page.ts';
import { appendOperation, beginOperation } from './openapi/publishing.ts';
import { createTokenOperation, revokeTokenOperation } from './openapi/stream-tokens.ts';
import * as system from './openapi/system.ts';
import { KINDS } from './parameters.ts';
import type { Route, RouteContext } from './route.ts';
import { createMatcher, notFound } from './router.ts';
import { consolePolicy, docsPolicy, graphiqlPolicy } from './security-headers.ts';
import { createStreamToken, revokeStreamToken } from './stream-tokens.ts';

export const ROUTES: readonly Route[] = [
  ...Object.entries(KINDS).flatMap(([plural, kind]) => executionRoutes(plural, kind)),
  {
    method: 'POST',
    path: '/api/v0/stream-tokens',
    access: 'caller',
    openApi: createTokenOperation,
    handle: (context, services) => createStreamToken(services, context),
  },
  {
    method: 'POST',
    path: '/api/v0/stream-tokens/revoke',
    access: 'caller',
    openApi: revokeTokenOperation,
    handle: (context, { run }) => revokeStreamToken(run, context),
  },
  {
    method: 'GET',
    path: '/health/live',
    access: 'open',
    openApi: system.liveOperation,
    immediate: live,
    handle: live,
  },
  {
    method: 'GET',
    path: '/health/ready',
    access: 'open',
    openApi: system.readyOperation,
    handle: (_, { readiness, streams }) => readiness(streams.draining),
  },
  {
    method: 'GET',
    path: '/metrics',
    access: 'open',
    openApi: system.metricsOperation,
    handle: (_, { metrics }) => metrics(),
  },
  {
    method: 'GET',
    path: '/',
    access: 'open',
    openApi: system.consoleOperation,
    pagePolicy: consolePolicy,
    handle: (_, { basePath }) => consolePage(basePath),
  },
  {
    method: 'GET',
    path: '/docs',
    access: 'open',
    openApi: system.docsOperation,
    pagePolicy: docsPolicy,
    handle: (_, { basePath }) => docsPage(basePath),
  },
  // The same page.
  {
    method: 'GET',
    path: '/docs/',
    access: 'open',
    openApi: false,
    pagePolicy: docsPolicy,
    handle: (_, { basePath }) => docsPage(basePath),
  },
  // Its scripts and styles.
  {
    method: 'GET',
    path: '/docs/{file}',
    access: 'open',
    openApi: false,
    handle: async ({ parameters: [name] }, { basePath }) =>
      (await docsAsset(name!, basePath)) ?? notFound(`${basePath}/docs/${name}`),
  },
  {
    method: 'GET',
    path: '/openapi.json',
    access: 'open',
    openApi: system.openApiOperation,
    handle: (_, { basePath }) => openApiJson((version) => openApiDocument(version, ROUTES, basePath)),
  },
  // Described by its own schema.
  {
    method: 'ANY',
    methods: ['GET', 'POST', 'HEAD'],
    path: '/graphql',
    access: 'caller-or-token',
    isPage: isGraphiqlRequest,
    openApi: false,
    pagePolicy: graphiqlPolicy,
    errors: 'graphql',
    handle: serveGraphQL,
  },
  // Single connection mode.
  {
    method: 'ANY',
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    path: '/graphql/stream',
    access: 'caller',
    openApi: false,
    pagePolicy: graphiqlPolicy,
    errors: 'graphql',
    handle: serveGraphQL,
  },
  // GraphQL's own 404.
  {
    method: 'ANY',
    path: '/graphql/*',
    access: 'caller',
    openApi: false,
    pagePolicy: graphiqlPolicy,
    errors: 'graphql',
    handle: serveGraphQL,
  },
];

export const matchRoute = createMatcher(ROUTES);

function executionRoutes(plural: string, kind: ExecutionKind): Route[] {
  const path = `/api/v0/executions/${plural}/{id}`;
  const target = ({ request, caller, parameters: [id] }: RouteContext) => ({
    request,
    caller,
    kind,
    id: id!,
  });
  return [
    {
      method: 'GET',
      path,
      access: 'caller',
      openApi: () => stateOperation(kind),
      handle: (context, { run }) => showExecution(run, target(context)),
    },
    {
      method: 'PUT',
      path,
      access: 'caller',
      openApi: () => beginOperation(kind),
      handle: (context, { publishing }) => publishing.begin(target(context)),
    },
    {
      method: 'GET',
      path: `${path}/stream`,
      access: 'caller-or-token',
      openApi: () => streamOperation(kind),
      handle: (context, { run, streams }) => streamExecution(run, streams, target(context)),
    },
    {
      method: 'POST',
      path: `${path}/events`,
      access: 'caller',
      openApi: () => appendOperation(kind),
      handle: (context, { publishing }) => publishing.append(target(context)),
    },
  ];
}
