// Headers that restrict what a browser does with a response: no MIME sniffing, no framing, no use by other sites; and
// for each page, which scripts, styles and hosts it may load. No page loads anything from another host.
import { createHash } from 'node:crypto';
import { consoleHtml } from './console.ts';
import type { Route, RouteServices } from './route.ts';

/**
 * On every response, also where no handler runs. A handler's own headers take precedence. No `default-src`: if a
 * browser displays such a response, a script in its context could not open a stream.
 */
export const RESPONSE_HEADERS: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': "frame-ancestors 'none'",
};

/** Sets those headers that a response does not have. */
export function setResponseHeaders(headers: Headers): void {
  for (const [name, value] of Object.entries(RESPONSE_HEADERS)) {
    if (!headers.has(name)) headers.set(name, value);
  }
}

const COMMON_DIRECTIVES =
  "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Creates the function that sets the policy of a route's page on its response. */
export function createPageHeaders(services: RouteServices) {
  // Computed once per route: the page of GraphiQL has nine megabytes to hash.
  const policies = new Map<Route, string>();

  return (response: Response, route: Route | undefined): Response => {
    if (!route?.pagePolicy || !response.headers.get('content-type')?.startsWith('text/html')) return response;
    const policy = policies.get(route) ?? route.pagePolicy(services);
    policies.set(route, policy);
    response.headers.set('Content-Security-Policy', policy);
    // Isolates the page from windows that open it or that it opens.
    response.headers.set('Cross-Origin-Opener-Policy', 'same-origin');
    return response;
  };
}

export function consolePolicy({ basePath }: RouteServices): string {
  const html = consoleHtml(basePath);
  return policyOf(hashes('script', html), hashes('style', html), 'img-src data:');
}

export function docsPolicy(): string {
  return policyOf("script-src 'self'", "style-src 'self'", "img-src 'self' data:");
}

/** GraphiQL's editor inserts styles at run time, and embeds its workers and its font. */
export function graphiqlPolicy({ graphql }: RouteServices): string {
  return policyOf(
    hashes('script', graphql.page()),
    "style-src 'unsafe-inline'",
    'worker-src blob:',
    'font-src data:',
    'img-src data:',
  );
}

function policyOf(...directives: string[]): string {
  return [COMMON_DIRECTIVES, ...directives].join('; ');
}

/** Allows the inline scripts or styles of a page, each by the hash of its text, and no others. */
function hashes(element: 'script' | 'style', html: string): string {
  const texts = html.matchAll(new RegExp(`<${element}>([^]*?)</${element}>`, 'g'));
  const sources = Array.from(
    texts,
    ([, text]) => `'sha256-${createHash('sha256').update(text!).digest('base64')}'`,
  );
  return `${element}-src ${sources.join(' ')}`;
}
