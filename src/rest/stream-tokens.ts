// `POST /api/v0/stream-tokens`, `…/revoke`: what a browser's EventSource is let in by, as a token or as a cookie.
import { z } from 'zod';
import { MAX_BATCH_BYTES } from '../log/log.ts';
import type { RunOperation } from '../schema/operation.ts';
import type { NewStreamTokenMutation } from './documents.gen.ts';
import { CREATE_STREAM_TOKEN, REVOKE_STREAM_TOKEN } from './documents.ts';
import { refusalOf, refuse } from './refusal.ts';
import { readBody } from './request-body.ts';
import type { RouteContext } from './route.ts';

/** The cookie that carries a token, of the same site alone. */
export const TOKEN_COOKIE = 'execstream_token';

/** What a token is asked for with. */
export const TOKEN_REQUEST = z.strictObject({
  executions: z.array(z.string()).min(1).max(100),
  /** Set the token as a cookie, out of reach of the page's scripts, and leave it out of the answer. */
  cookie: z.boolean().optional(),
});

export const REVOCATION = z.strictObject({ token: z.string().min(1).max(200) });

/** Answers 201 `{ token, expiresAt }`; with `cookie`, `{ expiresAt }` and the token in a cookie. */
export async function createStreamToken(
  run: RunOperation,
  { request, caller }: RouteContext,
): Promise<Response> {
  const { executions, cookie } = await readBody(request, TOKEN_REQUEST, MAX_BATCH_BYTES);
  const variables = { executions };
  const result = await run({ request, caller, query: CREATE_STREAM_TOKEN, variables });
  if ('take' in result) throw new Error('a mutation answered a stream');
  const refusal = refusalOf(result);
  if (refusal) return refuse(refusal);
  const { token, expiresAt } = (result.data as NewStreamTokenMutation).createStreamToken;
  const headers = { 'Cache-Control': 'no-store' };
  if (!cookie) return Response.json({ token, expiresAt }, { status: 201, headers });
  const seconds = Math.max(0, Math.floor((Date.parse(expiresAt) - Date.now()) / 1_000));
  // Browsers take `Secure` from a loopback address without TLS too.
  const set = `${TOKEN_COOKIE}=${token}; Max-Age=${seconds}; Path=/; HttpOnly; Secure; SameSite=Strict`;
  return Response.json({ expiresAt }, { status: 201, headers: { ...headers, 'Set-Cookie': set } });
}

/** Answers 204, whether there was such a token of the caller's or not. In the body: a path would be logged. */
export async function revokeStreamToken(
  run: RunOperation,
  { request, caller }: RouteContext,
): Promise<Response> {
  const variables = await readBody(request, REVOCATION, MAX_BATCH_BYTES);
  const result = await run({ request, caller, query: REVOKE_STREAM_TOKEN, variables });
  if ('take' in result) throw new Error('a mutation answered a stream');
  const refusal = refusalOf(result);
  return refusal ? refuse(refusal) : new Response(null, { status: 204 });
}
