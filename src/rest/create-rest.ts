// Serves the routes of routes.ts, and turns errors into responses.
import { isExecstreamError } from '../event/errors.ts';
import type { Caller } from '../execution/permission.ts';
import { type Check, createReadiness } from './health.ts';
import { problemOf } from './problem.ts';
import { createPublishing, type PublishingOptions } from './publish-api/handlers.ts';
import { RejectedRequest } from './request-body.ts';
import type { RouteServices } from './route.ts';
import { type RouteMatch, respond } from './router.ts';
import { matchRoute } from './routes.ts';
import { createPageHeaders } from './security-headers.ts';

export interface RestOptions
  extends PublishingOptions,
    Pick<RouteServices, 'run' | 'streams' | 'metrics' | 'graphql' | 'maxBodyBytes'> {
  readonly checks: { readonly [part: string]: Check };
  readonly onError: (error: unknown) => void;
}

/**
 * Serves a request of an authenticated caller.
 * @param match the request's route, if the caller has already looked it up
 */
export type Rest = (request: Request, caller: Caller, match?: RouteMatch) => Promise<Response>;

/** Creates the function that serves every request, GraphQL's included. It never rejects. */
export function createRest(options: RestOptions): Rest {
  const { run, streams, metrics, graphql, maxBodyBytes, checks, onError, ...publishingOptions } = options;
  const publishing = createPublishing({ ...publishingOptions, onError });
  const readiness = createReadiness(checks);
  const services = { run, streams, publishing, readiness, metrics, graphql, maxBodyBytes };
  const withPageHeaders = createPageHeaders(services);

  return async (request, caller, match = matchRoute(request)) => {
    try {
      return withPageHeaders(await respond(match, request, caller, services), match.route);
    } catch (error) {
      if (error instanceof RejectedRequest) return error.response;
      if (isExecstreamError(error) && error.code !== 'INTERNAL') {
        return problemOf(error.code, error.message, error.retryAfterSeconds);
      }
      // A client that disconnects while it sends its body is not an error of the server.
      if (!request.signal.aborted) onError(error);
      return problemOf('INTERNAL', 'Unexpected error.');
    }
  };
}
