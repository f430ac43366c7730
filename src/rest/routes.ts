// The paths beside GraphQL, in one table.
import { isExecstreamError } from '../event/errors.ts';
import type { Caller } from '../execution/permission.ts';
import type { RunOperation } from '../schema/operation.ts';
import type { EventStreams } from '../sse/event-streams.ts';
import { consolePage } from './console.ts';
import { showExecution, streamExecution } from './executions.ts';
import { type Check, createReadiness, live } from './health.ts';
import { docsAsset, docsPage, openApiJson } from './openapi/page.ts';
import { KINDS } from './parameters.ts';
import { problemOf } from './problem.ts';
import { createPublishing, type PublishingOptions } from './publish-api/handlers.ts';
import { Refusal } from './request-body.ts';
import { notFound, type Route, type RouteContext, route } from './router.ts';
import { createStreamToken, revokeStreamToken } from './stream-tokens.ts';

export interface RestOptions extends PublishingOptions {
  readonly run: RunOperation;
  readonly streams: EventStreams;
  readonly checks: { readonly [part: string]: Check };
  /** Prometheus' text. */
  readonly metrics: () => Promise<Response>;
  readonly onError: (error: unknown) => void;
}

const EXECUTION = '^/api/v0/executions/(workflows|agents|tasks)/([^/]+)';

/** Answers every request that is not GraphQL's. */
export function createRest({ run, streams, checks, metrics, onError, ...publishingOptions }: RestOptions) {
  const publishing = createPublishing({ ...publishingOptions, onError });
  const readiness = createReadiness(checks);
  const routes: readonly Route[] = [
    [new RegExp(`${EXECUTION}/stream$`), { GET: (visit) => streamExecution(run, streams, target(visit)) }],
    [new RegExp(`${EXECUTION}/events$`), { POST: (visit) => publishing.append(target(visit)) }],
    [
      new RegExp(`${EXECUTION}$`),
      {
        GET: (visit) => showExecution(run, target(visit)),
        PUT: (visit) => publishing.begin(target(visit)),
      },
    ],
    [/^\/api\/v0\/stream-tokens$/, { POST: (visit) => createStreamToken(run, visit) }],
    [/^\/api\/v0\/stream-tokens\/revoke$/, { POST: (visit) => revokeStreamToken(run, visit) }],
    [/^\/health\/live$/, { GET: live }],
    [/^\/health\/ready$/, { GET: () => readiness(streams.draining) }],
    [/^\/metrics$/, { GET: () => metrics() }],
    [/^\/openapi\.json$/, { GET: openApiJson }],
    [/^\/docs\/?$/, { GET: docsPage }],
    [
      /^\/docs\/([^/]+)$/,
      { GET: async ({ groups: [name] }) => (await docsAsset(name!)) ?? notFound(`/docs/${name}`) },
    ],
    [/^\/$/, { GET: consolePage }],
  ];

  return async (request: Request, caller: Caller): Promise<Response> => {
    try {
      return await route(routes, request, caller);
    } catch (error) {
      if (error instanceof Refusal) return error.response;
      if (isExecstreamError(error) && error.code !== 'INTERNAL') {
        return problemOf(error.code, error.message, error.retryAfterSeconds);
      }
      // A client that goes away in the midst of its body is no error of ours.
      if (!request.signal.aborted) onError(error);
      return problemOf('INTERNAL', 'Unexpected error.');
    }
  };
}

function target({ request, caller, groups: [plural, id] }: RouteContext) {
  return { request, caller, kind: KINDS[plural!]!, id: id! };
}
