// `POST /api/v0/stream-tokens` and `…/revoke`: credentials for a browser's EventSource, as a token or as a cookie.
import { z } from 'zod';
import { MAX_BATCH_BYTES } from '../log/log.ts';
import type { RunOperation } from '../schema/operation.ts';
import type { NewStreamTokenMutation } from './documents.gen.ts';
import { CREATE_STREAM_TOKEN, REVOKE_STREAM_TOKEN } from './documents.ts';
import { operationErrorOf, toProblem } from './operation-error.ts';
import { readBody } from './request-body.ts';
import type { RouteContext, RouteServices } from './route.ts';

/** The same-site cookie that carries a token. */
export const TOKEN_COOKIE = 'execstream_token';

/** The body of `POST /api/v0/stream-tokens`. */
export const TOKEN_REQUEST = z.strictObject({
  executions: z.array(z.string()).min(1).max(100),
  /** Set the token as a cookie, which scripts of the page cannot read, instead of returning it. */
  cookie: z.boolean().optional(),
});

/** The body of `POST /api/v0/stream-tokens/revoke`. */
export const REVOCATION = z.strictObject({ token: z.string().min(1).max(200) });

/** Responds 201 `{ token, expiresAt }`; with `cookie`, `{ expiresAt }` and the token in a cookie. */
export async function createStreamToken(
  { run, basePath }: Pick<RouteServices, 'run' | 'basePath'>,
  { request, caller }: RouteContext,
): Promise<Response> {
  const { executions, cookie } = await readBody(request, TOKEN_REQUEST, MAX_BATCH_BYTES);
  const variables = { executions };
  const result = await run({ request, caller, query: CREATE_STREAM_TOKEN, variables });
  if ('take' in result) throw new Error('a mutation returned a stream');
  const error = operationErrorOf(result);
  if (error) return toProblem(error);
  const { token, expiresAt } = (result.data as NewStreamTokenMutation).createStreamToken;
  const headers = { 'Cache-Control': 'no-store' };
  if (!cookie) return Response.json({ token, expiresAt }, { status: 201, headers });
  const seconds = Math.max(0, Math.floor((Date.parse(expiresAt) - Date.now()) / 1_000));
  // Browsers accept `Secure` cookies from a loopback address without TLS.
  const scope = `Path=${basePath || '/'}; HttpOnly; Secure; SameSite=Strict`;
  const setCookie = `${TOKEN_COOKIE}=${token}; Max-Age=${seconds}; ${scope}`;
  return Response.json({ expiresAt }, { status: 201, headers: { ...headers, 'Set-Cookie': setCookie } });
}

/**
 * Responds 204, also if the caller has no such token. The token is in the body because proxies log paths.
 */
export async function revokeStreamToken(
  run: RunOperation,
  { request, caller }: RouteContext,
): Promise<Response> {
  const variables = await readBody(request, REVOCATION, MAX_BATCH_BYTES);
  const result = await run({ request, caller, query: REVOKE_STREAM_TOKEN, variables });
  if ('take' in result) throw new Error('a mutation returned a stream');
  const error = operationErrorOf(result);
  return error ? toProblem(error) : new Response(null, { status: 204 });
}
