// The type of a route, and what the handlers of routes.ts work with.
import type { Caller } from '../execution/permission.ts';
import type { RunOperation } from '../schema/operation.ts';
import type { EventStreams } from '../sse/event-streams.ts';
import type { JsonSchema } from './openapi/json-schema.ts';
import type { PublishTarget } from './publish-api/begin.ts';

export interface RouteContext {
  readonly request: Request;
  readonly caller: Caller;
  /** The values of the path's parameters, percent-decoded. */
  readonly parameters: readonly string[];
}

type PublishHandler = (target: PublishTarget) => Promise<Response>;

/** What handlers use. */
export interface RouteServices {
  readonly run: RunOperation;
  readonly streams: EventStreams;
  readonly publishing: { readonly begin: PublishHandler; readonly append: PublishHandler };
  readonly readiness: (isDraining: boolean) => Promise<Response>;
  /** Metrics in the text format of Prometheus. */
  readonly metrics: () => Promise<Response>;
  readonly graphql: GraphQLEndpoint;
  /** Limit of a GraphQL request's body. */
  readonly maxBodyBytes: number;
  /** The path that precedes those of the routes in links: without a trailing slash, empty for none. */
  readonly basePath: string;
}

/** GraphQL over HTTP, which this folder does not import. */
export interface GraphQLEndpoint {
  fetch(request: Request, caller: Caller): Response | Promise<Response>;
  /** The page of GraphiQL, from whose scripts its policy is computed. */
  readonly page: () => string;
}

export type Handler = (context: RouteContext, services: RouteServices) => Response | Promise<Response>;

/**
 * Who may send a request.
 * - `open`: anyone. The response contains no execution.
 * - `caller`: an authenticated caller. What it may read or publish is decided by the handler.
 * - `caller-or-token`: also, by GET, the bearer of a stream token (`?access_token=`).
 */
export type Access = 'open' | 'caller' | 'caller-or-token';

export interface Route {
  /** GET also serves HEAD. `ANY`: the handler decides. */
  readonly method: 'GET' | 'PUT' | 'POST' | 'ANY';
  /** Which methods `ANY` accepts. The handler gets a GET for HEAD, if it is listed. */
  readonly methods?: readonly string[];
  /**
   * A segment in braces is a parameter; `{id}` may also match several segments (router.ts). A final `*` matches any rest
   * of the path.
   */
  readonly path: string;
  readonly access: Access;
  /** Whether a request loads a page without data, which is `open`. By default none does. */
  readonly isPage?: (request: Request) => boolean;
  /** The operation of the OpenAPI document without its 405; false: the document leaves the route out. */
  readonly openApi: false | (() => JsonSchema);
  /** The Content-Security-Policy of its HTML. */
  readonly pagePolicy?: (services: RouteServices) => string;
  /** The format of errors that occur before the handler runs; a problem document by default. */
  readonly errors?: 'graphql';
  /** A response without a caller and without a turn, sent before requests that wait. */
  readonly immediate?: () => Response;
  readonly handle: Handler;
}
