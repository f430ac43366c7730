// Finds the route of a request, and responds if there is none.
//
// Some proxies decode `%2F`, so an execution id with slashes may arrive as several segments. A path that matches a route
// with the id as one segment is that route's. Otherwise the id may have several segments that are not empty, and the
// longest route takes precedence: `/agents/a/b/stream` is the stream of `a/b`, not the state of `a/b/stream`.
import { ExecstreamError } from '../event/errors.ts';
import type { Caller } from '../execution/permission.ts';
import { problem, problemOf } from './problem.ts';
import type { Route, RouteServices } from './route.ts';

export interface RouteMatch {
  /** Undefined if no route has this path, or none has this method. */
  readonly route: Route | undefined;
  readonly pathname: string;
  /** Still percent-encoded. */
  readonly parameters: readonly string[];
  /** The methods of the path without OPTIONS; empty if no route has it. */
  readonly allowed: readonly string[];
}

export type Matcher = (request: Pick<Request, 'method' | 'url'>) => RouteMatch;

/** Creates the function that finds a request's route. A path may have one route per method. */
export function createMatcher(routes: readonly Route[]): Matcher {
  const paths = [...new Set(routes.map(({ path }) => path))];
  const withId = paths.filter((path) => path.includes(ID)).toSorted((a, b) => b.length - a.length);
  const patterns = [
    ...paths.map((path) => ({ path, id: SEGMENT })),
    ...withId.map((path) => ({ path, id: SEGMENTS })),
  ];
  const candidates = patterns.map(({ path, id }) => {
    const ofPath = routes.filter((route) => route.path === path);
    return { pattern: patternOf(path, id), routes: ofPath, allowed: allowedMethods(ofPath) };
  });

  return ({ method, url }) => {
    const { pathname } = new URL(url);
    for (const { pattern, routes: ofPath, allowed } of candidates) {
      const match = pattern.exec(pathname);
      if (match) return { route: routeFor(ofPath, method), pathname, parameters: match.slice(1), allowed };
    }
    return { route: undefined, pathname, parameters: [], allowed: [] };
  };
}

/** The methods that routes of one path accept, as `Allow` lists them. */
export function allowedMethods(routes: readonly Route[]): readonly string[] {
  const methods = routes.flatMap(({ method, methods: own = [] }) => (method === 'ANY' ? own : method));
  return routes.some(({ method }) => method === 'GET') ? [...methods, 'HEAD'] : methods;
}

/**
 * Runs the route's handler.
 * @throws ExecstreamError what the handler throws; `BAD_USER_INPUT` if the path is not valid percent-encoding.
 */
export async function respond(
  match: RouteMatch,
  request: Request,
  caller: Caller,
  services: RouteServices,
): Promise<Response> {
  const { route, pathname, allowed } = match;
  if (request.method === 'OPTIONS') return optionsResponse(match, services.basePath);
  if (!route && allowed.length === 0) return notFound(services.basePath + pathname);
  const parameters = match.parameters.map(decode);
  if (!route) return methodNotAllowed(request.method, allowed);
  const isHead = request.method === 'HEAD' && (route.method === 'GET' || route.methods?.includes('HEAD'));
  if (!isHead) return route.handle({ request, caller, parameters }, services);
  return withoutBody(await route.handle({ request: asGet(request), caller, parameters }, services));
}

/** GraphQL would reject HEAD. */
function asGet({ url, headers, signal }: Request): Request {
  return new Request(url, { headers, signal });
}

/** The response to OPTIONS: what the path supports. It looks nothing up, so it needs no credentials. */
export function optionsResponse({ pathname, allowed }: RouteMatch, basePath: string): Response {
  if (allowed.length === 0) return notFound(basePath + pathname);
  return new Response(null, { status: 204, headers: { Allow: [...allowed, 'OPTIONS'].join(', ') } });
}

/** The response to a path that does not exist. */
export function notFound(pathname: string): Response {
  return problemOf('NOT_FOUND', `not found: ${pathname.slice(0, 200)}`);
}

/** The `detail` of a 405. */
export function notAllowedDetail(method: string, allowed: readonly string[]): string {
  return `${method} is not allowed; expected ${allowed.join(', ')}`;
}

function methodNotAllowed(method: string, allowed: readonly string[]): Response {
  const headers = { Allow: allowed.join(', ') };
  return problem(405, 'METHOD_NOT_ALLOWED', notAllowedDetail(method, allowed), headers);
}

function routeFor(routes: readonly Route[], method: string): Route | undefined {
  const wanted = method === 'HEAD' ? 'GET' : method;
  return routes.find((route) => route.method === wanted || route.method === 'ANY');
}

const ID = '{id}';
const SEGMENT = '([^/]+)';
const SEGMENTS = '([^/]+(?:/[^/]+)+)';

function patternOf(path: string, id: string): RegExp {
  const source = path
    .replace(/[.+?^$()|[\]\\]/g, String.raw`\$&`)
    .replace(ID, id)
    .replace(/\{\w+\}/g, SEGMENT)
    .replace(/\*$/, '.*');
  return new RegExp(`^${source}$`);
}

/** The response to HEAD. Cancelling the body of a stream releases what the stream holds. */
async function withoutBody({ body, status, headers }: Response): Promise<Response> {
  await body?.cancel();
  return new Response(null, { status, headers });
}

/** URL parsers resolve the segments `.` and `..`, also if they are encoded. %FF is not UTF-8, so no other id has it. */
const DOTS = /^%FF(\.{1,2})$/i;

function decode(segment: string): string {
  const [, dots] = DOTS.exec(segment) ?? [];
  if (dots !== undefined) return dots;
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new ExecstreamError('BAD_USER_INPUT', `path: invalid percent-encoding: ${segment.slice(0, 80)}`);
  }
}
