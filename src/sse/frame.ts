// SSE bytes (https://html.spec.whatwg.org/multipage/server-sent-events.html), made once for all who are sent them.

/** What is written to a stream in one go: alone, and as a chunk of HTTP/1.1's chunked coding (RFC 9112, 7.1). */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly chunk: Uint8Array;
  /** Of `bytes`. */
  readonly length: number;
}

/** The chunk, of which the bytes alone are a view: most are never asked for it. */
class Chunk implements Frame {
  readonly chunk: Buffer;
  readonly length: number;

  constructor(chunk: Buffer, length: number) {
    this.chunk = chunk;
    this.length = length;
  }

  get bytes(): Uint8Array {
    return this.chunk.subarray(this.chunk.length - 2 - this.length, -2);
  }
}

function encoded(text: string): Frame {
  // Of ASCII, as most of it is, the number of bytes is known before they are made.
  const made = asChunk(text, text.length);
  return made.length === text.length ? made : asChunk(text, made.length);
}

/** @param length what the text is taken to come to, in bytes; the chunk is one if that is what it comes to */
function asChunk(text: string, length: number): Frame {
  const size = length.toString(16);
  const chunk = Buffer.from(`${size}\r\n${text}\r\n`);
  return new Chunk(chunk, chunk.length - size.length - 4);
}

/** Lines end in CR, LF or CRLF; a client hands all three on as LF. */
const LINE_BREAK = /\r\n|\r|\n/;

/** A comment, which a client ignores: it keeps proxies from taking a silent connection for a dead one. */
export const HEARTBEAT = encoded(':\n\n');

/** The first bytes of a stream: how long to wait before coming back, and a comment that flushes every proxy. */
export function opening(retryMs: number, comment = ''): Frame {
  return encoded(`retry: ${retryMs}\n:${comment && ` ${comment.replace(/\s+/g, ' ')}`}\n\n`);
}

/** Moves the client's cursor and dispatches nothing: an SSE client takes the id of a block without data. */
export function cursorOnly(id: string): Frame {
  return encoded(`id: ${id}\n\n`);
}

/**
 * One message.
 * @param data any text; each of its lines becomes a `data:` line
 */
export function frame(id: string | undefined, event: string, data: string): Frame {
  const hasLines = data.includes('\n') || data.includes('\r');
  return lineFrame(id, event, hasLines ? data.split(LINE_BREAK).join('\ndata: ') : data);
}

/**
 * One message whose data is one line, as JSON is without white space of its own: it is not looked through.
 * @param line without CR and LF
 */
export function lineFrame(id: string | undefined, event: string, line: string): Frame {
  return encoded(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${line}\n\n`);
}

/** Several frames as one, to be written at once. */
export function joined(frames: readonly Frame[]): Frame {
  const lone = frames.length === 1 ? frames[0] : undefined;
  if (lone) return lone;
  const bytes = frames.map((each) => each.bytes);
  const length = bytes.reduce((sum, each) => sum + each.length, 0);
  return new Chunk(inChunk(bytes, length), length);
}

/** Bytes as one chunk. */
export function chunkOf(bytes: Uint8Array): Uint8Array {
  return inChunk([bytes], bytes.length);
}

function inChunk(bytes: readonly Uint8Array[], length: number): Buffer {
  return Buffer.concat([Buffer.from(`${length.toString(16)}\r\n`), ...bytes, Buffer.from('\r\n')]);
}
