// Requests to a server: with the token, which is renewed after a 401, and with errors as ExecstreamErrors, whose code says
// whether the request can be repeated. While a server has requested a pause (`Retry-After`), nothing is sent.
import { createTokens, type TokenSource } from '../../client/tokens.ts';
import { type ErrorCode, ExecstreamError, isErrorCode, isExecstreamError } from '../../event/errors.ts';
import { describeFailure } from '../../telemetry/failure-reason.ts';

export interface HttpRequest {
  readonly method: 'PUT' | 'POST';
  /** Below the URL of the server. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
}

export interface RequestsOptions {
  /** The URL of the server, without a slash at its end. */
  readonly url: string;
  readonly token: TokenSource | undefined;
  readonly fetch: typeof fetch;
  /** Timeout of one request, in ms. */
  readonly callMs: number;
}

/**
 * Sends a request.
 * @returns the JSON of the response
 * @throws ExecstreamError the server's error; `SOURCE_UNAVAILABLE` if there is no response, or none of the server
 */
export type SendRequest = (request: HttpRequest) => Promise<unknown>;

/** Longer pauses are shortened: the server may have been replaced in the meantime. */
const MAX_PAUSE_SECONDS = 60;

export function createRequests({ url, token, fetch, callMs }: RequestsOptions): SendRequest {
  const tokens = createTokens(token);
  let hasSucceeded = false;
  let pause: { readonly until: number; readonly error: ExecstreamError } | undefined;

  async function send(request: HttpRequest): Promise<unknown> {
    if (pause && Date.now() < pause.until) throw pause.error;
    pause = undefined;
    const response = await withToken(request);
    const body = await readJson(response);
    if (response.ok && body !== undefined) {
      hasSucceeded = true;
      return body;
    }
    const error = errorOf(response, body, `${url}${request.path}`);
    const { retryAfterSeconds } = error;
    if (error.retryable && retryAfterSeconds !== undefined) {
      pause = { until: Date.now() + retryAfterSeconds * 1_000, error };
    }
    // The function may return a better token later, and the queued events must not be lost.
    if (error.code === 'UNAUTHENTICATED' && tokens.canRenew && hasSucceeded) {
      throw unavailable(error.message, error);
    }
    throw error;
  }

  /** A 401 is repeated once, with another token. */
  async function withToken(request: HttpRequest): Promise<Response> {
    const token = await obtained(tokens.get(Number.NEGATIVE_INFINITY));
    const response = await sendWith(token, request);
    if (response.status !== 401 || !tokens.canRenew) return response;
    await response.body?.cancel();
    return sendWith(await obtained(tokens.get(Number.NEGATIVE_INFINITY, token)), request);
  }

  async function sendWith(
    bearer: string | undefined,
    { method, path, headers, body }: HttpRequest,
  ): Promise<Response> {
    const json: Record<string, string> = { 'Content-Type': 'application/json', ...headers };
    if (bearer !== undefined) json.Authorization = `Bearer ${bearer}`;
    try {
      return await fetch(`${url}${path}`, {
        method,
        headers: json,
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(callMs),
      });
    } catch (error) {
      throw unavailable(`no response from ${url}`, error);
    }
  }

  async function obtained(token: Promise<string | undefined>): Promise<string | undefined> {
    try {
      return await token;
    } catch (error) {
      throw unavailable('token: the function failed', error);
    }
  }

  return send;
}

/** Undefined for a body that is not JSON, such as the page of a proxy. */
async function readJson(response: Response): Promise<unknown> {
  let text: string;
  try {
    text = await response.text();
  } catch (error) {
    throw unavailable('the response was cut off', error);
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The codes of responses without a problem document of the server. */
const CODES: { readonly [status: number]: ErrorCode } = {
  400: 'BAD_USER_INPUT',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'NOT_FOUND',
  413: 'EVENT_TOO_LARGE',
  415: 'BAD_USER_INPUT',
  421: 'FORBIDDEN',
  422: 'BAD_USER_INPUT',
};

function errorOf(response: Response, body: unknown, target: string): ExecstreamError {
  const { status, headers } = response;
  const { code, detail } = Object(body) as { readonly code?: unknown; readonly detail?: unknown };
  const location = headers.get('Location');
  if (status >= 300 && status < 400) {
    const hint = location === null ? '' : `: it redirects to ${location}`;
    return new ExecstreamError('CONFIG', `url: expected that of an execstream server, got ${target}${hint}`);
  }
  if (isErrorCode(code)) {
    const retryAfterSeconds = secondsOf(headers.get('Retry-After'));
    const options = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
    return new ExecstreamError(
      code,
      typeof detail === 'string' ? detail : `${status} from ${target}`,
      options,
    );
  }
  const known = CODES[status] ?? 'SOURCE_UNAVAILABLE';
  const retryAfterSeconds = secondsOf(headers.get('Retry-After'));
  return new ExecstreamError(known, `${status} from ${target}, without an error of execstream`, {
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}

/** The seconds of a `Retry-After`, which is a number or a date; undefined if there is none. */
function secondsOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1_000;
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(0, seconds), MAX_PAUSE_SECONDS);
}

function unavailable(message: string, cause: unknown): ExecstreamError {
  const detail = isExecstreamError(cause) ? message : `${message}: ${describeFailure(cause)}`;
  return new ExecstreamError('SOURCE_UNAVAILABLE', detail, { cause });
}
