// The target of a request (RFC 9112, 3.2): a path, or an absolute URL, which some proxies and gateways send.
import type { IncomingMessage } from 'node:http';

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/is;

/**
 * Replaces an absolute target by its path, and `Host` by its host, as a server must. Other targets stay as they are.
 * HTTP/1.1 requires `Host` also with an absolute target: without it, none is set.
 */
export function normalizeTarget(request: Pick<IncomingMessage, 'url' | 'headers'>): void {
  const [, host, rest = ''] = ABSOLUTE.exec(request.url ?? '') ?? [];
  // User information in a URL is an error (RFC 9110, 4.2.4).
  if (!host || host.includes('@') || request.headers.host === undefined) return;
  request.headers.host = host;
  request.url = rest.startsWith('/') ? rest : `/${rest}`;
}

/** Whether a request can be constructed from its target. For an invalid `Host`, the adapter would respond with 500. */
export function isRequestTarget({ url = '', headers, httpVersion }: IncomingMessage): boolean {
  // RFC 9112, 3.2: HTTP/1.1 requires the header.
  if (headers.host === undefined && httpVersion === '1.1') return false;
  return url.startsWith('/') && URL.canParse(`http://${headers.host ?? 'localhost'}${url}`);
}
