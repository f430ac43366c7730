// The same-site cookie that carries a stream token, as an alternative to `?access_token=`.
import { TOKEN_COOKIE } from '../../rest/stream-tokens.ts';
import { hostOf, isLoopbackHost } from './loopback.ts';

/** The token in a request's cookie. */
export function cookieToken(request: Request): string | undefined {
  for (const pair of (request.headers.get('cookie') ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === TOKEN_COOKIE && value) return value;
  }
  return undefined;
}

/**
 * Whether a request with a cookie comes from a page of this server or of a configured origin. `SameSite=Strict` does
 * not send the cookie from other sites, but does from sibling subdomains and, in some browsers, from the same host
 * without TLS. A GET has no side effects, and CORS keeps other pages from reading its response. A POST must have an
 * allowed `Origin`.
 */
export function isOwnPage(request: Request, corsOrigins: readonly string[]): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return true;
  const origin = request.headers.get('origin');
  if (origin === null || !URL.canParse(origin)) return false;
  if (corsOrigins.includes(origin)) return true;
  // Set by the browser and not forgeable by a page. It compares scheme, host and port as seen by the browser.
  const site = request.headers.get('sec-fetch-site');
  return site === null ? isOwnOrigin(origin, hostOf(request)) : site === 'same-origin';
}

/**
 * Whether an origin is this server's, by the `Host` of the request. The cookie is `Secure`: the browser uses TLS, to
 * this server or to a proxy that may not forward the scheme, or connects to a loopback address.
 */
function isOwnOrigin(origin: string, host: string): boolean {
  const schemes = isLoopbackHost(host) ? ['https', 'http'] : ['https'];
  return schemes.some((scheme) => {
    const own = `${scheme}://${host}`;
    return URL.canParse(own) && new URL(own).origin === new URL(origin).origin;
  });
}
