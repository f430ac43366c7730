// Loopback: addresses to listen on, `Host` names of requests, and URLs that do not need TLS.
import { ExecstreamError } from '../../event/errors.ts';

const LOOPBACK_NAME = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * Rejects an address that can be reached from other machines, while authentication is off.
 * @throws ExecstreamError `CONFIG`
 */
export function requireLoopback(address: string): void {
  if (isLoopbackHost(address.includes(':') ? `[${address}]` : address)) return;
  const message = `expected a loopback address while authentication is off, got ${address}`;
  throw new ExecstreamError('CONFIG', `HOST: ${message}; set AUTH_JWKS_URL or AUTH_SHARED_KEY`);
}

/**
 * Whether a `Host` header names this machine. This prevents DNS rebinding: a page of a site whose name was changed to
 * resolve to 127.0.0.1 sends that site's name.
 */
export function isLoopbackHost(host: string | undefined): boolean {
  // URL normalises addresses such as 127.1 and 0x7f.1.
  return (
    host !== undefined &&
    URL.canParse(`http://${host}`) &&
    LOOPBACK_NAME.test(new URL(`http://${host}`).hostname)
  );
}

/** The host that a request names: its header, or its URL where a runtime has read the header already. */
export function hostOf({ headers, url }: Pick<Request, 'headers' | 'url'>): string {
  return headers.get('host') ?? new URL(url).host;
}

/**
 * Whether a connection to this local address comes from this machine. A connection without one is a Unix socket.
 */
export function isLoopbackAddress(address: string | undefined): boolean {
  return address === undefined || /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/.test(address);
}

/** Whether a response from a URL cannot be replaced in transit: it uses TLS, or stays on this machine. */
export function isSecureUrl(url: string): boolean {
  const { protocol, host } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(host));
}
