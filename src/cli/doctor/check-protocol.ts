// Checks which HTTP version a browser would use: over HTTP/1.1 it opens six connections to a server, in all tabs together.
import { connect } from 'node:tls';
import { isLoopbackHost } from '../../server/auth/loopback.ts';
import type { Finding, Target } from './finding.ts';

const check = 'connections';

export async function checkProtocol({ url }: Target): Promise<Finding[]> {
  const { protocol, hostname, port, host } = new URL(url);
  if (protocol === 'https:') return [protocolFinding(await negotiated(hostname, Number(port || 443)))];
  if (isLoopbackHost(host)) {
    return [
      {
        check,
        verdict: 'ok',
        message: 'HTTP/1.1 on this machine; serve other machines over TLS with HTTP/2',
      },
    ];
  }
  return [protocolFinding('http/1.1')];
}

/** The protocol that a TLS handshake agrees on; undefined if it fails. */
function negotiated(hostname: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const servername = /^[\d.]+$|:/.test(hostname) ? undefined : hostname;
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port,
      ALPNProtocols: ['h2', 'http/1.1'],
      timeout: 5_000,
      ...(servername && { servername }),
    });
    const end = (result: string | undefined): void => {
      socket.destroy();
      resolve(result);
    };
    socket.on('secureConnect', () => end(socket.alpnProtocol || 'http/1.1'));
    socket.on('timeout', () => end(undefined));
    socket.on('error', () => end(undefined));
  });
}

/** @param protocol as ALPN names it */
export function protocolFinding(protocol: string | undefined): Finding {
  if (protocol === 'h2') return { check, verdict: 'ok', message: 'browsers use HTTP/2' };
  if (protocol === undefined) return { check, verdict: 'skipped', message: 'the TLS handshake failed' };
  return {
    check,
    verdict: 'warning',
    message:
      'browsers use HTTP/1.1, and open up to six connections in all tabs together: a seventh stream waits',
    advice: 'serve HTTP/2 (nginx: "http2 on;" with TLS), or share connections among tabs (docs/client.md)',
  };
}
