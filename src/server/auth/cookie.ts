// The same-site cookie that carries a stream token, as an alternative to `?access_token=`.
import { TOKEN_COOKIE } from '../../rest/stream-tokens.ts';
import { isLoopbackHost } from './loopback.ts';

/** The token that a request's cookie carries. */
export function cookieToken(request: Request): string | undefined {
  for (const pair of (request.headers.get('cookie') ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === TOKEN_COOKIE && value) return value;
  }
  return undefined;
}

/**
 * Whether a request with a cookie comes from a page of this server or of a listed origin. `SameSite=Strict` keeps the
 * cookie from other sites, but not from pages of a neighbouring host, nor in every browser from the same host without
 * TLS. A GET changes nothing, and a page that CORS does not list cannot read its response; a POST must name its origin.
 */
export function isOwnPage(request: Request, corsOrigins: readonly string[]): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return true;
  const origin = request.headers.get('origin');
  if (origin === null || !URL.canParse(origin)) return false;
  if (corsOrigins.includes(origin)) return true;
  // Set by the browser, and no page can: it compares scheme, host and port as the browser sees them.
  const site = request.headers.get('sec-fetch-site');
  return site === null ? isOwnOrigin(origin, request.headers.get('host') ?? '') : site === 'same-origin';
}

/**
 * Whether an origin is this server's, by the `Host` of the request. The cookie is `Secure`, so its browser speaks TLS
 * to us (or to a proxy before us, which need not say so), or connects to a loopback address.
 */
function isOwnOrigin(origin: string, host: string): boolean {
  const schemes = isLoopbackHost(host) ? ['https', 'http'] : ['https'];
  return schemes.some((scheme) => {
    const own = `${scheme}://${host}`;
    return URL.canParse(own) && new URL(own).origin === new URL(origin).origin;
  });
}
