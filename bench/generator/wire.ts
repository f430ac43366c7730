// Reads one viewer's response: the head, the chunked coding, the frames. To cost little next to the server, it only
// counts frames and finds the stamp that the publisher puts into each event.

/** Receives the parsed data of a viewer. */
export interface WireListener {
  /** The response head has arrived. */
  onHead(status: number): void;
  /**
   * A complete frame with a stamp has arrived.
   * @param n the event's number, from 1
   * @param sentUs when it was published, in µs of the generator's clock
   */
  onFrame(n: number, sentUs: number): void;
}

const LF = 10;
const CR = 13;
const AT = 64;
const COLON = 58;
const ZERO = 48;

/** The stamp of an event: its number and the time of its publication. It may be anywhere in a frame. */
export function stamp(n: number, sentUs: number): string {
  return `@${n}:${sentUs}@`;
}

type Part = 'head' | 'size' | 'data' | 'chunkEnd' | 'unchunked' | 'end';

export class WireReader {
  readonly #listener: WireListener;
  #part: Part = 'head';
  #head = '';
  /** The size of the current chunk while it is parsed, then the number of its bytes that are still expected. */
  #remaining = 0;
  #inExtension = false;
  #isLineEmpty = false;
  #hasStamp = false;
  /** 0: outside of a stamp; 1: in its number; 2: in its time. */
  #field = 0;
  #number = 0;
  #time = 0;

  constructor(listener: WireListener) {
    this.#listener = listener;
  }

  /** Whether the last chunk has arrived. */
  get ended(): boolean {
    return this.#part === 'end';
  }

  /** Reads bytes as they arrive, split anywhere. */
  read(bytes: Uint8Array, length = bytes.length): void {
    let at = this.#part === 'head' ? this.#readHead(bytes, length) : 0;
    while (at < length) {
      if (this.#part === 'data') {
        const end = Math.min(length, at + this.#remaining);
        this.#remaining -= end - at;
        this.#readBody(bytes, at, end);
        at = end;
        if (this.#remaining === 0) this.#part = 'chunkEnd';
      } else if (this.#part === 'size') {
        this.#readSize(bytes[at++]!);
      } else if (this.#part === 'chunkEnd') {
        if (bytes[at++] === LF) this.#part = 'size';
      } else if (this.#part === 'unchunked') {
        this.#readBody(bytes, at, length);
        return;
      } else {
        return;
      }
    }
  }

  #readHead(bytes: Uint8Array, length: number): number {
    const before = this.#head.length;
    this.#head += Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1');
    const end = this.#head.indexOf('\r\n\r\n');
    if (end === -1) return length;
    const head = this.#head.slice(0, end);
    this.#head = '';
    this.#part = /^transfer-encoding:.*chunked/im.test(head) ? 'size' : 'unchunked';
    this.#listener.onHead(Number(head.split(' ', 2)[1]));
    return end + 4 - before;
  }

  #readSize(byte: number): void {
    if (byte === LF) {
      this.#part = this.#remaining > 0 ? 'data' : 'end';
      this.#inExtension = false;
    } else if (byte === 59) {
      this.#inExtension = true;
    } else if (byte !== CR && !this.#inExtension) {
      this.#remaining = this.#remaining * 16 + (byte <= 57 ? byte - ZERO : (byte | 32) - 87);
    }
  }

  #readBody(bytes: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; at++) {
      const byte = bytes[at]!;
      if (byte === LF) {
        if (this.#isLineEmpty) this.#endFrame();
        this.#isLineEmpty = true;
      } else if (byte !== CR) {
        this.#isLineEmpty = false;
        if (byte === AT) this.#onAt();
        else if (this.#field !== 0) this.#onDigit(byte);
      }
    }
  }

  #onAt(): void {
    if (this.#field === 0) {
      this.#field = 1;
      this.#number = 0;
      this.#time = 0;
    } else {
      this.#field = 0;
      this.#hasStamp = true;
    }
  }

  #onDigit(byte: number): void {
    if (byte === COLON) this.#field = 2;
    else if (this.#field === 1) this.#number = this.#number * 10 + byte - ZERO;
    else this.#time = this.#time * 10 + byte - ZERO;
  }

  #endFrame(): void {
    if (!this.#hasStamp) return;
    this.#hasStamp = false;
    this.#listener.onFrame(this.#number, this.#time);
  }
}
