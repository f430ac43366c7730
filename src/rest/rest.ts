// The paths beside GraphQL, in one table.
import { ExecstreamError, isExecstreamError } from '../event/error.ts';
import type { Caller } from '../execution/permission.ts';
import type { EventStreams } from '../sse/event-streams.ts';
import { consolePage } from './console.ts';
import { showExecution, streamExecution } from './executions.ts';
import { type Check, live, ready } from './health.ts';
import { KINDS } from './parameters.ts';
import type { Run } from './pipeline.ts';
import { problem, problemOf } from './problem.ts';

export interface RestOptions {
  readonly run: Run;
  readonly streams: EventStreams;
  readonly checks: { readonly [part: string]: Check };
  readonly onError: (error: unknown) => void;
}

interface Visit {
  readonly request: Request;
  readonly caller: Caller;
  /** What the pattern's groups matched, percent-decoded. */
  readonly groups: readonly string[];
}

type Handler = (visit: Visit) => Response | Promise<Response>;
type Route = readonly [pattern: RegExp, methods: { readonly [method: string]: Handler }];

const EXECUTION_PATH = '^/api/v0/executions/(workflows|agents|tasks)/([^/]+)';

/** Answers every request that is not GraphQL's. */
export function createRest({ run, streams, checks, onError }: RestOptions) {
  const target = ({ request, caller, groups: [plural, id] }: Visit) => ({
    request,
    caller,
    kind: KINDS[plural!]!,
    id: id!,
  });
  const routes: readonly Route[] = [
    [
      new RegExp(`${EXECUTION_PATH}/stream$`),
      { GET: (visit) => streamExecution(run, streams, target(visit)) },
    ],
    [new RegExp(`${EXECUTION_PATH}$`), { GET: (visit) => showExecution(run, target(visit)) }],
    [/^\/health\/live$/, { GET: live }],
    [/^\/health\/ready$/, { GET: () => ready(checks) }],
    [/^\/$/, { GET: consolePage }],
  ];

  return async (request: Request, caller: Caller): Promise<Response> => {
    try {
      return await route(routes, request, caller);
    } catch (error) {
      if (isExecstreamError(error)) return problemOf(error.code, error.message);
      onError(error);
      return problemOf('INTERNAL', 'Unexpected error.');
    }
  };
}

async function route(routes: readonly Route[], request: Request, caller: Caller): Promise<Response> {
  const { pathname } = new URL(request.url);
  for (const [pattern, methods] of routes) {
    const match = pattern.exec(pathname);
    if (!match) continue;
    const handler = methods[request.method];
    const visit = { request, caller, groups: match.slice(1).map(decode) };
    if (handler) return handler(visit);
    if (request.method === 'HEAD' && methods.GET) return headOf(await methods.GET(visit));
    const allow = [...Object.keys(methods), ...(methods.GET ? ['HEAD'] : [])].join(', ');
    return problem(405, 'METHOD_NOT_ALLOWED', `${request.method} is not allowed here; ${allow} is`, {
      Allow: allow,
    });
  }
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
