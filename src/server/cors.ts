// Access of other sites' pages (https://fetch.spec.whatwg.org/#http-cors-protocol), and the responses to OPTIONS.
import { optionsResponse, type RouteMatch } from '../rest/router.ts';

/** Single connection mode of GraphQL over SSE uses PUT and DELETE, publishing uses PUT. */
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'];

/** The headers that a page may send besides those that need no permission. */
const REQUEST_HEADERS = [
  // Clients of multipart subscriptions quote the parameters of their `Accept`, which then needs permission.
  'Accept',
  'Content-Type',
  'Content-Encoding',
  // Some browsers do not send it on a reconnect if it is not listed.
  'Last-Event-ID',
  'Authorization',
  'X-GraphQL-Event-Stream-Token',
  'Publisher-Token',
  'Idempotency-Key',
  'Publisher-Head',
  // Set by HTTP clients and by instrumentation (W3C Trace Context and Baggage).
  'Cache-Control',
  'X-Requested-With',
  'Apollo-Require-Preflight',
  'traceparent',
  'tracestate',
  'baggage',
];

/** The response headers that scripts may read besides those that need no permission. */
const RESPONSE_HEADERS = ['Retry-After', 'WWW-Authenticate', 'Allow'];

/** How long a browser remembers a preflight; Chromium's limit. */
const MAX_AGE_SECONDS = 7_200;

export interface CorsOptions {
  /** As browsers send them; `*` allows all, without credentials. */
  readonly origins: readonly string[];
  /** Whether callers are authenticated. */
  readonly isAuthenticated: boolean;
  /** The path that precedes those of the routes, for the response to an unknown path. */
  readonly basePath: string;
}

export interface Cors {
  /** The response to OPTIONS; undefined for other methods. */
  respond(request: Request, match: RouteMatch): Response | undefined;
  /** Sets the CORS headers of a response, for the configured origins. */
  setHeaders(request: Request, headers: Headers): void;
}

export function createCors({ origins, isAuthenticated, basePath }: CorsOptions): Cors {
  const allowsAll = origins.includes('*');

  /** Never `null`, unless all are allowed: it is the origin of every sandboxed page. */
  function allowedOrigin({ headers }: Request): string | undefined {
    const origin = headers.get('origin');
    return origin !== null && (allowsAll || origins.includes(origin)) ? origin : undefined;
  }

  /** Publishing begins with PUT. Without authentication, `*` allows every site to read, but not to publish. */
  function methodsOf({ route }: RouteMatch): readonly string[] {
    const isOpen = allowsAll && !isAuthenticated && route?.errors !== 'graphql';
    return isOpen ? METHODS.filter((method) => method !== 'PUT') : METHODS;
  }

  function preflightResponse(match: RouteMatch): Response {
    return new Response(null, {
      status: 204,
      headers: {
        // Safari waits for a body without it.
        'Content-Length': '0',
        'Access-Control-Allow-Methods': methodsOf(match).join(', '),
        'Access-Control-Allow-Headers': REQUEST_HEADERS.join(', '),
        'Access-Control-Max-Age': String(MAX_AGE_SECONDS),
      },
    });
  }

  return {
    respond(request, match) {
      if (request.method !== 'OPTIONS') return undefined;
      // Also for an unknown path: after a failed preflight, the page could not read the 404.
      const isPreflight = request.headers.has('access-control-request-method') && allowedOrigin(request);
      return isPreflight ? preflightResponse(match) : optionsResponse(match, basePath);
    },
    setHeaders(request, headers) {
      if (origins.length === 0) return;
      addVary(headers, 'Origin');
      const origin = allowedOrigin(request);
      if (origin === undefined) return;
      headers.set('Access-Control-Allow-Origin', origin);
      if (!allowsAll) headers.set('Access-Control-Allow-Credentials', 'true');
      if (request.method !== 'OPTIONS') {
        headers.set('Access-Control-Expose-Headers', RESPONSE_HEADERS.join(', '));
      }
    },
  };
}

/** Adds a name to those that the handler has set. */
function addVary(headers: Headers, name: string): void {
  const names = (headers.get('vary') ?? '').split(',').flatMap((each) => each.trim() || []);
  const isListed = names.some((each) => each === '*' || each.toLowerCase() === name.toLowerCase());
  if (!isListed) headers.set('Vary', [...names, name].join(', '));
}
