// How client commands reach a server: its URL and token, a `fetch` that explains failures, and requests for JSON.
import { type Command, Option } from 'commander';
import { rejectionOf } from '../client/rejection.ts';
import { messageOf } from '../event/error-message.ts';
import { ExecstreamError, invalidInput } from '../event/errors.ts';
import { failureReasonOf } from '../telemetry/failure-reason.ts';

const DEFAULT_URL = 'http://localhost:4000';

export interface ServerOptions {
  readonly url: string;
  readonly token?: string;
}

/** Adds `--url` and `--token`. */
export function addServerOptions(command: Command): Command {
  return command
    .addOption(new Option('--url <url>', 'the server').env('EXECSTREAM_URL').default(DEFAULT_URL))
    .addOption(
      new Option('--token <token>', 'a token of the caller; better in the variable').env('EXECSTREAM_TOKEN'),
    );
}

/**
 * The URL of a server, without a slash at the end.
 * @throws ExecstreamError `BAD_USER_INPUT`
 */
export function serverUrlOf(text: string, name = '--url'): string {
  const url = text === '' ? DEFAULT_URL : text;
  const { protocol } = URL.canParse(url) ? new URL(url) : {};
  if (protocol === 'http:' || protocol === 'https:') return url.replace(/\/+$/, '');
  throw invalidInput(
    `${name}: expected a URL that begins with http:// or https://, got "${url.slice(0, 80)}"`,
  );
}

/**
 * Creates a `fetch` for one server, which explains failures. Before the first response, a server that cannot be reached is
 * a permanent error, which ends the command; later it is one that the client recovers from.
 */
export function createServerFetch(url: string): typeof globalThis.fetch {
  let hasConnected = false;
  return async (input, init) => {
    try {
      const response = await fetch(input, init);
      hasConnected = true;
      return response;
    } catch (cause) {
      if (init?.signal?.aborted) throw cause;
      const reason = failureReasonOf(cause) ?? messageOf(cause);
      if (hasConnected) throw new Error(reason, { cause });
      throw new ExecstreamError('CONFIG', `cannot reach ${url}: ${reason}`, { cause });
    }
  };
}

/**
 * Requests JSON.
 * @throws ExecstreamError with the code of a rejection; `CONFIG` if the server cannot be reached, or sends something else
 */
export async function requestJson(
  url: string,
  path: string,
  token: string | undefined,
  fetchFrom = createServerFetch(url),
): Promise<unknown> {
  const headers = { accept: 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
  const response = await fetchFrom(`${url}${path}`, { headers });
  if (!response.ok) throw await rejectionOf(response);
  try {
    return await response.json();
  } catch (error) {
    const type = response.headers.get('content-type');
    throw new ExecstreamError('CONFIG', `${url}${path}: expected JSON, got ${type}`, { cause: error });
  }
}
