// Serves the routes of routes.ts, and turns errors into responses.
import { type ExecstreamError, isExecstreamError } from '../event/errors.ts';
import type { Caller } from '../execution/permission.ts';
import { createReadiness, type Health } from './health.ts';
import { problemOf } from './problem.ts';
import { createPublishing, type PublishingOptions } from './publish-api/handlers.ts';
import { RejectedRequest } from './request-body.ts';
import type { RouteServices } from './route.ts';
import { type RouteMatch, respond } from './router.ts';
import { matchRoute } from './routes.ts';
import { createPageHeaders } from './security-headers.ts';

export interface RestOptions
  extends PublishingOptions,
    Pick<RouteServices, 'run' | 'streams' | 'metrics' | 'graphql' | 'maxBodyBytes' | 'basePath'> {
  readonly checkHealth: () => Promise<Health>;
  readonly onError: (error: unknown) => void;
  /** Receives the errors of requests that failed because a part is unavailable. */
  readonly onUnavailable?: (error: ExecstreamError) => void;
}

/**
 * Serves a request of an authenticated caller.
 * @param match the request's route, if the caller has already looked it up
 */
export type Rest = (request: Request, caller: Caller, match?: RouteMatch) => Promise<Response>;

/** Creates the function that serves every request, GraphQL's included. It never rejects. */
export function createRest(options: RestOptions): Rest {
  const {
    run,
    streams,
    metrics,
    graphql,
    maxBodyBytes,
    basePath,
    checkHealth,
    onError,
    onUnavailable,
    ...publishingOptions
  } = options;
  const publishing = createPublishing({ ...publishingOptions, onError });
  const readiness = createReadiness(checkHealth);
  const services = { run, streams, publishing, readiness, metrics, graphql, maxBodyBytes, basePath };
  const withPageHeaders = createPageHeaders(services);

  return async (request, caller, match = matchRoute(request)) => {
    try {
      return withPageHeaders(await respond(match, request, caller, services), match.route);
    } catch (error) {
      if (error instanceof RejectedRequest) return error.response;
      if (isExecstreamError(error) && error.code !== 'INTERNAL') {
        if (error.code === 'SOURCE_UNAVAILABLE') onUnavailable?.(error);
        return problemOf(error.code, error.message, error.retryAfterSeconds);
      }
      // A client that disconnects while it sends its body is not an error of the server.
      if (!request.signal.aborted) onError(error);
      return problemOf('INTERNAL', 'Unexpected error.');
    }
  };
}
