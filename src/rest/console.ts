// The page at `/`, which lists executions and follows one of them live.
import { readFileSync } from 'node:fs';

export const consoleHtml = readFileSync(new URL('./console.html', import.meta.url), 'utf8');

export function consolePage(): Response {
  return new Response(consoleHtml, { headers: { 'Content-Type': 'text/html; charset=utf-8' } });
}
