// What is reached from this machine alone: addresses to bind to, `Host` names that a request may ask for, and URLs that
// need no TLS.
import { ExecstreamError } from '../../event/errors.ts';

const LOOPBACK_NAME = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * Refuses to listen, without authentication, on an address that is reached from other machines.
 * @throws ExecstreamError `BAD_USER_INPUT`
 */
export function requireLoopback(address: string): void {
  if (isLoopbackHost(address.includes(':') ? `[${address}]` : address)) return;
  const what = `${address} can be reached from outside, and authentication is off`;
  throw new ExecstreamError('BAD_USER_INPUT', `HOST: ${what}; set AUTH_JWKS_URL or AUTH_SHARED_KEY`);
}

/**
 * Whether a `Host` header names this machine. A page of another site whose name was made to resolve to 127.0.0.1
 * (DNS rebinding) asks for that site's name, and is told apart by it.
 */
export function isLoopbackHost(host: string | undefined): boolean {
  // A URL writes an address the one way, so that 127.1 and 0x7f.1 need no rules of their own.
  return (
    host !== undefined &&
    URL.canParse(`http://${host}`) &&
    LOOPBACK_NAME.test(new URL(`http://${host}`).hostname)
  );
}

/** Whether what is read from a URL cannot be replaced on the way: it has TLS, or stays on this machine. */
export function isSecureUrl(url: string): boolean {
  const { protocol, host } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(host));
}
