// SSE bytes (https://html.spec.whatwg.org/multipage/server-sent-events.html).
const encoder = new TextEncoder();

/** Lines end in CR, LF or CRLF; a client hands all three on as LF. */
const LINE_BREAK = /\r\n|\r|\n/;

/** A comment, which a client ignores: it keeps proxies from taking a silent connection for a dead one. */
export const HEARTBEAT = encoder.encode(':\n\n');

/** The first bytes of a stream: how long to wait before coming back, and a comment that flushes every proxy. */
export function opening(retryMs: number, comment = ''): Uint8Array {
  return encoder.encode(`retry: ${retryMs}\n:${comment && ` ${comment.replace(/\s+/g, ' ')}`}\n\n`);
}

/** Moves the client's cursor and dispatches nothing: an SSE client takes the id of a block without data. */
export function cursorOnly(id: string): Uint8Array {
  return encoder.encode(`id: ${id}\n\n`);
}

/**
 * One message.
 * @param data any text; each of its lines becomes a `data:` line
 */
export function frame(id: string | undefined, event: string, data: string): Uint8Array {
  const head = `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\n`;
  return encoder.encode(`${head}data: ${data.split(LINE_BREAK).join('\ndata: ')}\n\n`);
}
