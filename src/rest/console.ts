// The page at `/`, which lists executions and follows one of them live.
import { CONSOLE_PAGE } from './console-page.gen.ts';
import { CONSOLE_STATE } from './console-state.gen.ts';

/** The page, with the bundled reducer in its script. */
export const consoleHtml = CONSOLE_PAGE.replace('/* EXECUTION_STATE */', () => CONSOLE_STATE);

export function consolePage(): Response {
  return new Response(consoleHtml, { headers: { 'Content-Type': 'text/html; charset=utf-8' } });
}
