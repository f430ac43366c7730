// From a path and a method to a handler, and the answers where there is none.
import { ExecstreamError } from '../event/errors.ts';
import type { Caller } from '../execution/permission.ts';
import { problem, problemOf } from './problem.ts';

export interface RouteContext {
  readonly request: Request;
  readonly caller: Caller;
  /** What the pattern's groups matched, percent-decoded. */
  readonly groups: readonly string[];
}

export type Handler = (visit: RouteContext) => Response | Promise<Response>;
export type Route = readonly [pattern: RegExp, methods: { readonly [method: string]: Handler }];

/**
 * Answers a request by the first route whose pattern matches its path.
 * @throws ExecstreamError what the handler throws; `BAD_USER_INPUT` where the path is not well encoded.
 */
export async function route(routes: readonly Route[], request: Request, caller: Caller): Promise<Response> {
  const { pathname } = new URL(request.url);
  for (const [pattern, methods] of routes) {
    const match = pattern.exec(pathname);
    if (!match) continue;
    const handler = methods[request.method];
    const visit = { request, caller, groups: match.slice(1).map(decode) };
    if (handler) return handler(visit);
    if (request.method === 'HEAD' && methods.GET) return headOf(await methods.GET(visit));
    const allowed = [...Object.keys(methods), ...(methods.GET ? ['HEAD'] : [])];
    const detail = `${request.method} is not allowed here; ${allowed.join(', ')} ${allowed.length > 1 ? 'are' : 'is'}`;
    return problem(405, 'METHOD_NOT_ALLOWED', detail, { Allow: allowed.join(', ') });
  }
  return notFound(pathname);
}

/** The answer where there is nothing. */
export function notFound(pathname: string): Response {
  return problemOf('NOT_FOUND', `nothing is at ${pathname.slice(0, 200)}`);
}

/** The answer to GET without its body, which for a stream lets go of what it holds. */
async function headOf({ body, status, headers }: Response): Promise<Response> {
  await body?.cancel();
  return new Response(null, { status, headers });
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new ExecstreamError(
      'BAD_USER_INPUT',
      `the path is not well percent-encoded: ${segment.slice(0, 80)}`,
    );
  }
}
