// The same-site cookie that carries a stream token, as an alternative to `?access_token=`.
import { TOKEN_COOKIE } from '../../rest/stream-tokens.ts';

/** The token that a request's cookie carries. */
export function cookieToken(request: Request): string | undefined {
  for (const pair of (request.headers.get('cookie') ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === TOKEN_COOKIE && value) return value;
  }
  return undefined;
}

/**
 * Whether a request that a cookie came with was meant by a page that may read us. `SameSite=Strict` keeps the cookie
 * from other sites; a page of a neighbouring host is of the same site, and is told apart here. What reads
 * changes nothing, and a page that CORS does not list cannot see the answer; a POST must name its origin.
 */
export function isOwnPage(request: Request, corsOrigins: readonly string[]): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return true;
  const origin = request.headers.get('origin');
  if (origin === null || !URL.canParse(origin)) return false;
  return new URL(origin).host === request.headers.get('host') || corsOrigins.includes(origin);
}
