// Who makes a request: the one place where credentials are read (PROTOCOL.md, "Authentication").
import { ExecstreamError } from '../../event/errors.ts';
import { ANONYMOUS, type Caller } from '../../execution/permission.ts';
import { checkCaller } from './claims.ts';
import { cookieToken, isOwnPage } from './cookie.ts';
import { createJwtCheck, type JwtOptions } from './jwt.ts';
import { requireLoopback } from './loopback.ts';
import type { RedeemableStreamTokens } from './stream-tokens.ts';

/**
 * An embedder's own way to know callers. Throws ExecstreamError `UNAUTHENTICATED`, with words that may be shown;
 * undefined is a request without credentials, which is refused alike.
 */
export type Authenticate = (request: Request) => Caller | undefined | Promise<Caller | undefined>;

/** How callers are known: by JWT, or an embedder's own way. Absent: not at all, which needs a loopback address. */
export type AuthenticationOptions = JwtOptions | { readonly authenticate: Authenticate };

export interface GateOptions {
  readonly auth: AuthenticationOptions | undefined;
  readonly streamTokens: Pick<RedeemableStreamTokens, 'redeem'>;
  /** The address that is listened on. */
  readonly host: string;
  readonly corsOrigins: readonly string[];
}

/** Answers the caller of a request; `accessToken` is what its URL held. Throws `UNAUTHENTICATED`, `SOURCE_UNAVAILABLE`. */
export type Gate = (request: Request, accessToken: string | undefined) => Promise<Caller>;

/** Whom a page without data is shown to: may do nothing, should the page ask for something after all. */
const NO_ACCESS: Caller = { id: 'nobody', scopes: [], executions: [] };

/**
 * Makes the gate.
 * @throws ExecstreamError `BAD_USER_INPUT` where authentication is off and the address can be reached from outside.
 */
export function createGate({ auth, streamTokens, host, corsOrigins }: GateOptions): Gate {
  if (!auth) requireLoopback(host);
  const known = auth && knownBy(auth);

  return async (request, accessToken) => {
    if (isWithoutData(request)) return NO_ACCESS;
    // A header is set on purpose; a cookie comes by itself, also with a request that means another caller.
    if (accessToken !== undefined && takesAccessToken(request) && !request.headers.has('authorization')) {
      return streamTokens.redeem(accessToken);
    }
    if (!known) return ANONYMOUS;
    const caller = await known(request);
    if (caller) return checkCaller(caller);
    const cookie = cookieToken(request);
    if (cookie !== undefined && isOwnPage(request, corsOrigins)) return streamTokens.redeem(cookie);
    throw new ExecstreamError(
      'UNAUTHENTICATED',
      'credentials are missing: send Authorization: Bearer <token>',
    );
  };
}

function knownBy(auth: AuthenticationOptions): Authenticate {
  if ('authenticate' in auth) return auth.authenticate;
  const check = createJwtCheck(auth);
  return (request) => {
    const header = request.headers.get('authorization');
    if (header === null) return undefined;
    const [, token] = /^Bearer +(\S+)$/i.exec(header) ?? [];
    if (token === undefined) {
      throw new ExecstreamError('UNAUTHENTICATED', 'Authorization: expected Bearer and a token');
    }
    return check(token);
  };
}

const WITHOUT_DATA = /^\/(|health\/live|health\/ready|metrics|openapi\.json|docs\/?|docs\/[^/]+)$/;

/** The pages, what describes the server, and its health. Whatever is not named here needs a caller. */
function isWithoutData(request: Request): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  const { pathname, searchParams } = new URL(request.url);
  if (WITHOUT_DATA.test(pathname)) return true;
  const isPage = request.headers.get('accept')?.includes('text/html') ?? false;
  return pathname === '/graphql' && isPage && !searchParams.has('query');
}

const STREAM = /^\/api\/v0\/executions\/[^/]+\/[^/]+\/stream$/;

function takesAccessToken(request: Request): boolean {
  const { pathname } = new URL(request.url);
  return request.method === 'GET' && (pathname === '/graphql' || STREAM.test(pathname));
}
