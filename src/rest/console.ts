// The page at `/`, which lists executions and follows one of them live.
import { readFileSync } from 'node:fs';
import { CONSOLE_STATE } from './console-state.gen.ts';

const template = readFileSync(new URL('./console.html', import.meta.url), 'utf8');

/** The page, with the bundled reducer in its script. */
export const consoleHtml = template.replace('/* EXECUTION_STATE */', () => CONSOLE_STATE);

export function consolePage(): Response {
  return new Response(consoleHtml, { headers: { 'Content-Type': 'text/html; charset=utf-8' } });
}
