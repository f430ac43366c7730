// The page at `/`: the executions, and one followed live.
import { readFileSync } from 'node:fs';

const page = readFileSync(new URL('./console.html', import.meta.url), 'utf8');

export function consolePage(): Response {
  return new Response(page, { headers: { 'Content-Type': 'text/html; charset=utf-8' } });
}
