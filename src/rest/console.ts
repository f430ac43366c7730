// The page at `/`, which lists executions and follows one of them live.
import { CONSOLE_PAGE } from './console-page.gen.ts';
import { CONSOLE_STATE } from './console-state.gen.ts';

/** The page, with the bundled reducer in its script. */
const template = CONSOLE_PAGE.replace('/* EXECUTION_STATE */', () => CONSOLE_STATE);

/** The page with links that start with this path. It is safe in HTML and in scripts (server/base-path.ts). */
export function consoleHtml(basePath: string): string {
  return template.replaceAll('{{basePath}}', () => basePath);
}

export function consolePage(basePath: string): Response {
  return new Response(consoleHtml(basePath), { headers: { 'Content-Type': 'text/html; charset=utf-8' } });
}
