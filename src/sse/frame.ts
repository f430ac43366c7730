// SSE bytes (https://html.spec.whatwg.org/multipage/server-sent-events.html), made once for all who are sent them.

/** What is written to a stream in one go: alone, and as a chunk of HTTP/1.1's chunked coding (RFC 9112, 7.1). */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly chunk: Uint8Array;
  /** Of `bytes`. */
  readonly length: number;
}

/** Text in its chunk: the bytes alone are a view of that, which most are never asked for. */
class Encoded implements Frame {
  readonly chunk: Buffer;
  readonly length: number;

  constructor(text: string) {
    this.length = Buffer.byteLength(text);
    this.chunk = Buffer.from(`${this.length.toString(16)}\r\n${text}\r\n`);
  }

  get bytes(): Uint8Array {
    return this.chunk.subarray(this.chunk.length - 2 - this.length, -2);
  }
}

/** Lines end in CR, LF or CRLF; a client hands all three on as LF. */
const LINE_BREAK = /\r\n|\r|\n/;
const hasLines = (text: string): boolean => text.includes('\n') || text.includes('\r');

/** A comment, which a client ignores: it keeps proxies from taking a silent connection for a dead one. */
export const HEARTBEAT = new Encoded(':\n\n');

/** The first bytes of a stream: how long to wait before coming back, and a comment that flushes every proxy. */
export function opening(retryMs: number, comment = ''): Frame {
  return new Encoded(`retry: ${retryMs}\n:${comment && ` ${comment.replace(/\s+/g, ' ')}`}\n\n`);
}

/** Moves the client's cursor and dispatches nothing: an SSE client takes the id of a block without data. */
export function cursorOnly(id: string): Frame {
  return new Encoded(`id: ${id}\n\n`);
}

/**
 * One message.
 * @param data any text; each of its lines becomes a `data:` line
 */
export function frame(id: string | undefined, event: string, data: string): Frame {
  const head = `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\n`;
  // Almost every message is one line, and JSON always is.
  const lines = hasLines(data) ? data.split(LINE_BREAK).join('\ndata: ') : data;
  return new Encoded(`${head}data: ${lines}\n\n`);
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
