// SSE bytes (https://html.spec.whatwg.org/multipage/server-sent-events.html), made once for all who are sent them.

/** What is written to a stream in one go: alone, and as a chunk of HTTP/1.1's chunked coding (RFC 9112, 7.1). */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly chunk: Uint8Array;
  /** Of `bytes`. */
  readonly length: number;
}

/** Lines end in CR, LF or CRLF; a client hands all three on as LF. */
const LINE_BREAK = /\r\n|\r|\n/;

/** A comment, which a client ignores: it keeps proxies from taking a silent connection for a dead one. */
export const HEARTBEAT = encode(':\n\n');

/** The first bytes of a stream: how long to wait before coming back, and a comment that flushes every proxy. */
export function opening(retryMs: number, comment = ''): Frame {
  return encode(`retry: ${retryMs}\n:${comment && ` ${comment.replace(/\s+/g, ' ')}`}\n\n`);
}

/** Moves the client's cursor and dispatches nothing: an SSE client takes the id of a block without data. */
export function cursorOnly(id: string): Frame {
  return encode(`id: ${id}\n\n`);
}

/**
 * One message.
 * @param data any text; each of its lines becomes a `data:` line
 */
export function frame(id: string | undefined, event: string, data: string): Frame {
  const head = `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\n`;
  // Almost every message is one line, and JSON always is.
  const lines = LINE_BREAK.test(data) ? data.split(LINE_BREAK).join('\ndata: ') : data;
  return encode(`${head}data: ${lines}\n\n`);
}

/** Several frames as one, to be written at once. */
export function joined(frames: readonly Frame[]): Frame {
  const lone = frames.length === 1 ? frames[0] : undefined;
  return lone ?? new Joined(frames);
}

/** Bytes as one chunk. */
export function chunkOf(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

/** Text in its chunk: the bytes alone are a view of that. */
function encode(text: string): Frame {
  const length = Buffer.byteLength(text);
  const head = `${length.toString(16)}\r\n`;
  const chunk = Buffer.allocUnsafe(head.length + length + 2);
  chunk.write(head, 0, 'latin1');
  chunk.write(text, head.length, 'utf8');
  chunk.write('\r\n', head.length + length, 'latin1');
  return { chunk, bytes: chunk.subarray(head.length, head.length + length), length };
}

/** Each viewer writes one of the two forms, so each is made when it is first asked for. */
class Joined implements Frame {
  readonly length: number;
  readonly #frames: readonly Frame[];
  #bytes: Uint8Array | undefined;
  #chunk: Uint8Array | undefined;

  constructor(frames: readonly Frame[]) {
    this.#frames = frames;
    this.length = frames.reduce((sum, { length }) => sum + length, 0);
  }

  get bytes(): Uint8Array {
    this.#bytes ??= Buffer.concat(this.#frames.map(({ bytes }) => bytes));
    return this.#bytes;
  }

  get chunk(): Uint8Array {
    this.#chunk ??= Buffer.concat(this.#frames.map(({ chunk }) => chunk));
    return this.#chunk;
  }
}
