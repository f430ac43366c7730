// Validates configured origins. Browsers send an origin in one exact form: a different spelling would never match, and
// the pages of that site would be rejected without an error on the server.
import { isLoopbackHost } from './auth/loopback.ts';
import { invalid, readEach } from './config/env.ts';

const EXAMPLE = 'such as https://app.example.com';

/** A scheme, a host and perhaps a port; then what an origin does not have. */
const ORIGIN = /^([a-z][a-z\d+.-]*):\/\/([^/?#]+)(.*)$/i;

/**
 * Returns origins as browsers send them: in lower case, without a default port.
 * @param name the setting, for errors
 * @throws ExecstreamError `CONFIG`, with the text to write instead
 */
export function checkOrigins(name: string, origins: readonly string[]): readonly string[] {
  if (origins.length > 1 && origins.includes('*')) {
    throw invalid(name, 'expected * alone, or origins without *');
  }
  return readEach(origins, (origin) => (origin === '*' ? origin : checkOrigin(name, origin)));
}

function checkOrigin(name: string, text: string): string {
  const got = `got "${text.slice(0, 80)}"`;
  if (text === 'null') {
    throw invalid(name, `expected an origin ${EXAMPLE}, ${got}, the origin of every sandboxed page`);
  }
  const [, scheme, host, rest] = ORIGIN.exec(text) ?? [];
  if (!scheme || !host) {
    const isHost = /^[\w.-]+(:\d+)?$/.test(text);
    const withScheme = `with its scheme, such as ${isLoopbackHost(text) ? 'http' : 'https'}://${text}`;
    throw invalid(name, `expected an origin ${isHost ? withScheme : EXAMPLE}, ${got}`);
  }
  const origin = /[@\\]/.test(host) ? undefined : normalized(scheme.toLowerCase(), host);
  if (!origin) throw invalid(name, `expected an origin ${EXAMPLE}, ${got}`);
  if (rest) throw invalid(name, `expected ${origin}, without a path or a trailing slash, ${got}`);
  if (host.includes('*')) throw invalid(name, `expected * alone, or each origin in full, ${got}`);
  return origin;
}

/** Undefined if the host or the port is invalid. */
function normalized(scheme: string, host: string): string | undefined {
  // The URL parser normalizes the hosts of these schemes only; apps in a web view have others (`capacitor://localhost`).
  const isHttp = scheme === 'http' || scheme === 'https';
  const url = `${isHttp ? scheme : 'http'}://${host}`;
  if (!URL.canParse(url)) return undefined;
  const { host: parsed } = new URL(url);
  return isHttp ? `${scheme}://${parsed}` : `${scheme}://${host.toLowerCase()}`;
}
