// Who makes a request: the one place where credentials are read (PROTOCOL.md, "Authentication").
import { ExecstreamError } from '../../event/errors.ts';
import { repeatedParameter } from '../../event/query-parameters.ts';
import { ANONYMOUS, type Caller } from '../../execution/permission.ts';
import type { Route } from '../../rest/route.ts';
import { checkCaller } from './claims.ts';
import { cookieToken, isOwnPage } from './cookie.ts';
import { createJwtCheck, type JwtOptions } from './jwt.ts';
import type { RedeemableStreamTokens } from './stream-tokens.ts';

/**
 * An embedder's own authentication. Returns undefined for a request without credentials, which is rejected.
 * @throws ExecstreamError `UNAUTHENTICATED`; its message is shown to the client.
 */
export type Authenticate = (request: Request) => Caller | undefined | Promise<Caller | undefined>;

/** How callers are authenticated: by JWT, or by an embedder's own function. */
export type AuthenticationOptions = JwtOptions | { readonly authenticate: Authenticate };

export interface AuthenticateOptions {
  /** Undefined turns authentication off. */
  readonly auth: AuthenticationOptions | undefined;
  readonly streamTokens: Pick<RedeemableStreamTokens, 'redeem'>;
  readonly corsOrigins: readonly string[];
}

/**
 * Returns the caller of a request.
 * @param accessTokens the different values in the request's URL
 * @throws ExecstreamError `UNAUTHENTICATED`, `SOURCE_UNAVAILABLE`; `BAD_USER_INPUT` if there are several tokens
 */
type RequestAuthenticator = (
  request: Request,
  route: Route | undefined,
  accessTokens: readonly string[],
) => Promise<Caller>;

/** The caller of an open route. It has no permission, in case the route's handler reads something after all. */
const NO_ACCESS: Caller = { id: 'nobody', scopes: [], executions: [] };

/** Creates the function that authenticates requests. */
export function createAuthenticate(options: AuthenticateOptions): RequestAuthenticator {
  const { auth, streamTokens, corsOrigins } = options;
  const authenticate = auth && authenticateBy(auth);

  return async (request, route, accessTokens) => {
    if (isOpen(request, route)) return NO_ACCESS;
    // A client sets the header deliberately. A cookie is sent automatically, also with a request for another caller.
    const [accessToken] = accessTokens;
    if (accessToken !== undefined && acceptsToken(request, route) && !request.headers.has('authorization')) {
      if (accessTokens.length > 1) throw repeatedParameter('access_token', accessTokens.length);
      return streamTokens.redeem(accessToken);
    }
    if (!authenticate) return ANONYMOUS;
    const caller = await authenticate(request);
    if (caller) return checkCaller(caller);
    const cookie = cookieToken(request);
    if (cookie !== undefined && isOwnPage(request, corsOrigins)) return streamTokens.redeem(cookie);
    throw new ExecstreamError(
      'UNAUTHENTICATED',
      'credentials are missing: send Authorization: Bearer <token>',
    );
  };
}

function authenticateBy(auth: AuthenticationOptions): Authenticate {
  if ('authenticate' in auth) return auth.authenticate;
  const check = createJwtCheck(auth);
  return (request) => {
    const header = request.headers.get('authorization');
    if (header === null) return undefined;
    const [, token] = /^Bearer +(\S+)$/i.exec(header) ?? [];
    if (token === undefined) {
      throw new ExecstreamError('UNAUTHENTICATED', 'Authorization: expected Bearer <token>');
    }
    return check(token);
  };
}

/** Paths without a route need a caller: an anonymous client cannot probe which paths exist. */
function isOpen(request: Request, route: Route | undefined): boolean {
  if (!route || (request.method !== 'GET' && request.method !== 'HEAD')) return false;
  return route.access === 'open' || (route.isPage?.(request) ?? false);
}

function acceptsToken(request: Request, route: Route | undefined): boolean {
  return request.method === 'GET' && route?.access === 'caller-or-token';
}
