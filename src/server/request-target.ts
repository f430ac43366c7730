// The target of a request (RFC 9112, 3.2): a path, or an absolute URL, which some proxies and gateways send.
import type { IncomingHttpHeaders } from 'node:http';

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/is;
/** An encoded segment `.` or `..` of a path. */
const ENCODED_DOTS = /(?<=^[^?#]*\/)(?:%2E){1,2}(?=[/?#]|$)/gi;

/** The parts of a request that name what it is for. */
interface Target {
  url: string;
  headers: IncomingHttpHeaders;
}

/**
 * Replaces an absolute target by its path, and `Host` by its host, as a server must. HTTP/1.1 requires `Host` also with an
 * absolute target: without it, none is set. The encoded segments `.` and `..` are ids, which URL parsers would resolve, so
 * they get the form in which the router reads them (PROTOCOL.md, "Execution ids"). Other targets stay as they are.
 */
export function normalizeTarget(request: Target): void {
  applyOrigin(request);
  request.url = request.url.replace(ENCODED_DOTS, (dots) => `%FF${decodeURIComponent(dots)}`);
}

function applyOrigin(request: Target): void {
  const [, host, rest = ''] = ABSOLUTE.exec(request.url) ?? [];
  // User information in a URL is an error (RFC 9110, 4.2.4).
  if (!host || host.includes('@') || request.headers.host === undefined) return;
  request.headers = { ...request.headers, host };
  request.url = rest.startsWith('/') ? rest : `/${rest}`;
}

/** Whether a request can be constructed from its target. For an invalid `Host`, the adapter would respond with 500. */
export function isRequestTarget({ url, headers, httpVersion }: Target & { httpVersion: string }): boolean {
  // RFC 9112, 3.2: HTTP/1.1 requires the header.
  if (headers.host === undefined && httpVersion === '1.1') return false;
  return url.startsWith('/') && URL.canParse(`http://${headers.host ?? 'localhost'}${url}`);
}
