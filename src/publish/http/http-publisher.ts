// A publisher over HTTP, for workers without access to Redis and Postgres: serverless functions and edge runtimes. It uses
// only what those have: fetch, timers, crypto.
import type { TokenSource } from '../../client/tokens.ts';
import { ExecstreamError } from '../../event/errors.ts';
import { resolveLogger } from '../../telemetry/resolve-logger.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { Transport } from '../transport.ts';
import { createPublisherOn, type Publisher, type PublisherSettings } from '../transport-publisher.ts';
import { connectHttpRun } from './http-run.ts';
import { createRequests } from './requests.ts';

export interface HttpPublisherOptions extends PublisherSettings {
  /** The URL of the server, with its path prefix if it has one. */
  readonly url: string;
  /**
   * A token with the scope `publish`, or a function that obtains one. The function is called again after a 401.
   * @default no token
   */
  readonly token?: TokenSource;
  /**
   * Sends the requests.
   * @default the global `fetch`
   */
  readonly fetch?: typeof fetch;
}

/**
 * Creates a publisher that sends its events to a server, with the API and the guarantees of `createPublisher()`. Sends
 * nothing yet: this does not fail if the server is unavailable.
 *
 * A frozen process sends nothing: call `flush()` or end the run before a serverless function returns. An `input` or a result
 * that does not fit into a request (256 KiB) is left out, except for a result that is the published text or value. A
 * `workflowId` and a `runId` are not sent.
 * @throws ExecstreamError `CONFIG` for a `url` or a `token` of another type; `BAD_USER_INPUT` for a literal or pattern that
 *   cannot be redacted
 * @example
 * ```ts
 * const publisher = createHttpPublisher({ url: 'https://streams.example.com', token: env.STREAMS_TOKEN });
 * const run = await publisher.begin({ kind: 'agent', id: 'poem-1' });
 * await run.text('Shall I compare thee to a summer’s day?');
 * await run.complete();
 * ```
 */
export function createHttpPublisher(options: HttpPublisherOptions): Publisher {
  return createPublisherOn(() => createHttpTransport(options), Object(options));
}

function createHttpTransport(options: HttpPublisherOptions): Transport {
  const { url, token, limits, fetch = globalThis.fetch } = Object(options) as HttpPublisherOptions;
  checkUrl(url);
  checkToken(token);
  const logger = resolveLogger(options.logger);
  const send = createRequests({
    url: url.replace(/\/+$/, ''),
    token,
    // Called without a receiver, which some runtimes reject.
    fetch: (input, init) => fetch(input, init),
    callMs: limits?.callMs ?? DEFAULT_LIMITS.callMs,
  });
  return {
    connect: (execution, startEvent) => connectHttpRun(send, execution, startEvent, logger),
    close: async () => {},
  };
}

function checkUrl(url: unknown): void {
  const { protocol, search, hash } = typeof url === 'string' && URL.canParse(url) ? new URL(url) : {};
  const isHttp = protocol === 'http:' || protocol === 'https:';
  if (isHttp && search === '' && hash === '') return;
  const got =
    protocol === undefined ? (typeof url === 'string' ? 'another text' : typeof url) : `${protocol}//`;
  throw invalid(`url: expected a URL that begins with https:// or http://, without a query, got ${got}`);
}

function checkToken(token: unknown): void {
  const isToken = (typeof token === 'string' && token !== '') || typeof token === 'function';
  if (isToken || token === undefined) return;
  const got = token === '' ? 'an empty text' : token === null ? 'null' : typeof token;
  throw invalid(`token: expected a text or a function, got ${got}`);
}

function invalid(message: string): ExecstreamError {
  return new ExecstreamError('CONFIG', message);
}
