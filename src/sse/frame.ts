// SSE frames (https://html.spec.whatwg.org/multipage/server-sent-events.html), encoded once for all clients.

/** The content of one write to a stream: as bytes, and as a chunk of HTTP/1.1's chunked coding (RFC 9112, 7.1). */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly chunk: Uint8Array;
  /** Length of `bytes`. */
  readonly length: number;
}

/** Holds the chunk only; `bytes` is a view of it, created when it is read, which is rare. */
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

/** A frame of any text, for protocols other than SSE. */
export function textFrame(text: string): Frame {
  // Most text is ASCII, whose number of bytes is known before they are encoded.
  const frame = asChunk(text, text.length);
  return frame.length === text.length ? frame : asChunk(text, frame.length);
}

/** @param length the assumed number of bytes of the text; if it is wrong, so is the size in the chunk's header */
function asChunk(text: string, length: number): Frame {
  const size = length.toString(16);
  const chunk = Buffer.from(`${size}\r\n${text}\r\n`);
  return new Chunk(chunk, chunk.length - size.length - 4);
}

/** Lines end in CR, LF or CRLF; clients read each of them as LF. */
const LINE_BREAK = /\r\n|\r|\n/;

/** A comment, which clients ignore; it keeps proxies from closing an idle connection. */
export const HEARTBEAT = textFrame(':\n\n');

/** The first bytes of a stream: the delay before a reconnect, and a comment that makes proxies forward the response. */
export function opening(retryMs: number, comment = ''): Frame {
  return textFrame(`retry: ${retryMs}\n:${comment && ` ${comment.replace(/\s+/g, ' ')}`}\n\n`);
}

/** Moves the client's cursor without an event: SSE clients store the id of a block that has no data. */
export function cursorOnly(id: string): Frame {
  return textFrame(`id: ${id}\n\n`);
}

/**
 * An event.
 * @param data any text; each of its lines becomes a `data:` line
 */
export function frame(id: string | undefined, event: string, data: string): Frame {
  const hasLines = data.includes('\n') || data.includes('\r');
  return lineFrame(id, event, hasLines ? data.split(LINE_BREAK).join('\ndata: ') : data);
}

/**
 * An event whose data is a single line, as `JSON.stringify` returns it. It is not searched for line breaks.
 * @param line must not contain CR or LF
 */
export function lineFrame(id: string | undefined, event: string, line: string): Frame {
  return textFrame(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${line}\n\n`);
}

/** Joins frames into one, to be sent in a single write. */
export function joinFrames(frames: readonly Frame[]): Frame {
  const only = frames.length === 1 ? frames[0] : undefined;
  if (only) return only;
  const bytes = frames.map((each) => each.bytes);
  const length = bytes.reduce((sum, each) => sum + each.length, 0);
  return new Chunk(toChunk(bytes, length), length);
}

/** Encodes bytes as one chunk. */
export function chunkOf(bytes: Uint8Array): Uint8Array {
  return toChunk([bytes], bytes.length);
}

function toChunk(bytes: readonly Uint8Array[], length: number): Buffer {
  return Buffer.concat([Buffer.from(`${length.toString(16)}\r\n`), ...bytes, Buffer.from('\r\n')]);
}
