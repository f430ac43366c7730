// Ends an HTTP response unfinished. Many clients take a body that ends cleanly for the end of the execution, but all of
// them recover from, or at least report, a connection that breaks (docs/decisions/0029-unfinished-responses.md).
import type { ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';

/**
 * Time in which the other end reads the last frames, before a reset or an error discards them. Without chunks, as in
 * HTTP/1.0, the end of the connection is the end of the body, and only a reset differs from it.
 */
export const RESET_AFTER_MS = 100;

/**
 * The error of a body that is interrupted, for consumers that are not HTTP connections. Hosts do not report it as a failure
 * of the application: it has the name of an abort, which Next checks, and Node's code of a stream that closes early, which
 * Hono and Fastify check. Bun and Deno print every error of a body, so it has no stack, which would help nobody.
 */
export function interruption(reason = 'the response is unfinished: reconnect with the last cursor'): Error {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const error = new Error(reason);
  Error.stackTraceLimit = stackTraceLimit;
  return Object.assign(error, { name: 'AbortError', code: 'ERR_STREAM_PREMATURE_CLOSE' });
}

/** RFC 9113, 7: `INTERNAL_ERROR`. A stream that is reset with it fails at the client. */
const HTTP2_INTERNAL_ERROR = 2;

/** The stream of a response over HTTP/2, whose connection also serves other requests. */
function http2StreamOf(response: ServerResponse): ServerHttp2Stream | undefined {
  return (response as { stream?: ServerHttp2Stream }).stream;
}

/** Breaks a response's connection after everything that was written to it. */
export function interruptResponse(response: ServerResponse): void {
  const stream = http2StreamOf(response);
  // A reset discards unsent bytes: the empty write completes after everything before it.
  if (stream) return void stream.write('', () => stream.close(HTTP2_INTERNAL_ERROR));
  const { socket } = response;
  // The last chunk is missing.
  if (response.chunkedEncoding) socket?.destroySoon();
  else setTimeout(() => abortResponse(response), RESET_AFTER_MS);
}

/** Breaks a response's connection immediately. */
export function abortResponse(response: ServerResponse): void {
  const stream = http2StreamOf(response);
  if (stream) stream.close(HTTP2_INTERNAL_ERROR);
  else if (response.chunkedEncoding) response.destroy();
  else response.socket?.resetAndDestroy();
}
