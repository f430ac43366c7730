// Ends an HTTP response unfinished. Many clients take a body that ends cleanly for the end of the execution, but all of
// them recover from, or at least report, a connection that breaks (docs/decisions/0029-unfinished-responses.md).
import type { ServerResponse } from 'node:http';

/**
 * Time in which the other end reads the last frames, before a reset discards them. Without chunks, as in HTTP/1.0, the end
 * of the connection is the end of the body, and only a reset differs from it.
 */
const RESET_AFTER_MS = 100;

/** The error of a body that is interrupted, for consumers that are not HTTP connections. */
export function interruption(): Error {
  return new Error('the response is unfinished: reconnect with the last cursor');
}

/** Breaks a response's connection after everything that was written to it. */
export function interruptResponse(response: ServerResponse): void {
  const { socket } = response;
  // The last chunk is missing.
  if (response.chunkedEncoding) socket?.destroySoon();
  else setTimeout(() => abortResponse(response), RESET_AFTER_MS);
}

/** Breaks a response's connection immediately. */
export function abortResponse(response: ServerResponse): void {
  if (response.chunkedEncoding) response.destroy();
  else response.socket?.resetAndDestroy();
}
