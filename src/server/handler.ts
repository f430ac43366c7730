// The server as a fetch handler: CORS, authentication, then the route.
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServerAdapter, type ServerAdapterPlugin } from '@whatwg-node/server';
import { isExecstreamError } from '../event/errors.ts';
import type { Caller } from '../execution/permission.ts';
import { problemOf } from '../rest/problem.ts';
import { matchRoute } from '../rest/routes.ts';
import { rejectUnauthenticated } from './auth/auth-responses.ts';
import { type AuthenticateOptions, createAuthenticate } from './auth/authenticate.ts';
import { useCors } from './cors.ts';
import type { Execstream } from './create-execstream.ts';

/** Passed with a request that came through a socket. */
export interface NodeContext {
  readonly req: IncomingMessage;
}

export interface HandlerOptions extends Omit<AuthenticateOptions, 'streamTokens'> {
  /** Stream tokens by request, after they were removed from its URL. */
  readonly accessTokens: WeakMap<IncomingMessage, readonly string[]>;
  /** Run after CORS. */
  readonly plugins: readonly ServerAdapterPlugin<NodeContext>[];
}

/**
 * Creates the handler.
 * @throws ExecstreamError `BAD_USER_INPUT` if authentication is off and the address can be reached from other machines.
 */
export function createHandler(
  { rest, streamTokens, onError }: Pick<Execstream, 'rest' | 'streamTokens' | 'onError'>,
  { accessTokens, plugins, ...options }: HandlerOptions,
): RequestListener {
  const authenticate = createAuthenticate({ ...options, streamTokens });
  const cors = useCors<NodeContext>({
    origins: options.corsOrigins,
    isAuthenticated: options.auth !== undefined,
  });

  async function handle(request: Request, { req }: NodeContext): Promise<Response> {
    const match = matchRoute(request);
    let caller: Caller;
    try {
      caller = await authenticate(request, match.route, accessTokens.get(req) ?? []);
    } catch (error) {
      if (!isExecstreamError(error)) onError(error);
      return rejectUnauthenticated(request, match.route, error);
    }
    return rest(request, caller, match);
  }

  return createServerAdapter<NodeContext>(
    (request: Request, context) =>
      // Without this the adapter's response would contain a stack trace.
      handle(request, context).catch((error) => {
        if (!request.signal.aborted) onError(error);
        return problemOf('INTERNAL', 'Unexpected error.');
      }),
    { plugins: [cors, ...plugins] },
  );
}
