// What a browser is told not to do with our answers: guess their type, put them into a frame, hand them to other
// sites; and of each page, which scripts, styles and hosts it may load. No page asks another host for anything.
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { ServerAdapterPlugin } from '@whatwg-node/server';
import { graphiqlPage } from '../graphql/graphiql.ts';
import { consoleHtml } from '../rest/console.ts';

/** No `default-src` here: where a browser shows such an answer, it would keep scripts there from opening a stream. */
const EVERY_ANSWER = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': "frame-ancestors 'none'",
};

/** Puts these on whatever is answered, also where no handler is asked. A handler's own headers win. */
export function protect(response: ServerResponse): void {
  for (const [name, value] of Object.entries(EVERY_ANSWER)) response.setHeader(name, value);
}

/** A plugin of the adapter that puts its policy on each page. */
export function usePageHeaders<Context>(): ServerAdapterPlugin<Context> {
  return {
    onResponse: ({ request, response }) => {
      if (!response?.headers.get('content-type')?.startsWith('text/html')) return;
      const { pathname } = new URL(request.url);
      response.headers.set('Content-Security-Policy', policyOf(pathname));
      // A window that one of our pages opens, or that has opened it, has no hold on it.
      response.headers.set('Cross-Origin-Opener-Policy', 'same-origin');
    },
  };
}

const ALWAYS =
  "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const policies = new Map<string, string>();

function policyOf(pathname: string): string {
  const page = pathname === '/' ? 'console' : pathname.startsWith('/docs') ? 'docs' : 'graphiql';
  const policy = policies.get(page) ?? [ALWAYS, ...DIRECTIVES[page]()].join('; ');
  policies.set(page, policy);
  return policy;
}

const DIRECTIVES = {
  console: () => [own('script', consoleHtml), own('style', consoleHtml), 'img-src data:'],
  docs: () => ["script-src 'self'", "style-src 'self'", "img-src 'self' data:"],
  // Its editor writes styles as it goes, and brings its workers and its font along.
  graphiql: () => [
    own('script', graphiqlPage()),
    "style-src 'unsafe-inline'",
    'worker-src blob:',
    'font-src data:',
    'img-src data:',
  ],
} as const;

/** Allows the scripts or styles that stand in a page, each by the hash of its text, and no other. */
function own(element: 'script' | 'style', html: string): string {
  const texts = html.matchAll(new RegExp(`<${element}>([^]*?)</${element}>`, 'g'));
  const hashes = Array.from(
    texts,
    ([, text]) => `'sha256-${createHash('sha256').update(text!).digest('base64')}'`,
  );
  return `${element}-src ${hashes.join(' ')}`;
}
