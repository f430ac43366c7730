// Splits text into chunks. The chunks joined are the text, byte for byte.
import { DEFAULT_SIZE_LIMITS, type SizeLimits } from './size-limits.ts';

/** Bytes of `{"content":""}`. */
const FRAME_BYTES = 14;

/**
 * Bytes that a line break counts. JSON takes 2 for CR or LF, but plain SSE begins a new line, `\ndata: `, which takes 7
 * and is sent once where JSON may be sent twice.
 */
const LINE_BREAK_BYTES = 4;

/** Limit for a chunk's content, as `contentBytes` counts it. */
export function maxContentBytes({ part }: Pick<SizeLimits, 'part'>): number {
  return part - FRAME_BYTES;
}

export interface TextCutter {
  /** Adds text and returns chunks. A last code unit that may be half of a pair or CRLF is held back. */
  add(text: string): string[];
  /** Returns the text that was held back, once no more text may complete it; empty if there is none. */
  flush(): string;
}

/** Splits text that arrives incrementally, so that no chunk ends inside a surrogate pair or a CRLF. */
export function createTextCutter(sizes: Pick<SizeLimits, 'part'> = DEFAULT_SIZE_LIMITS): TextCutter {
  let heldBack = '';
  return {
    add(text) {
      if (text === '') return [];
      const all = heldBack + text;
      heldBack = openEndOf(all);
      return splitText(all.slice(0, all.length - heldBack.length), sizes);
    },
    flush() {
      const text = heldBack;
      heldBack = '';
      return text;
    },
  };
}

/** The last code unit of a text, if it may be half of a surrogate pair or CRLF; otherwise empty. */
export function openEndOf(text: string): string {
  const last = text.charCodeAt(text.length - 1);
  return isHigh(last) || last === CR ? text.slice(-1) : '';
}

/** Whether a text begins with the other half of a pair or CRLF. */
export function completesEnd(openEnd: string, text: string): boolean {
  const first = text.charCodeAt(0);
  return openEnd !== '' && (openEnd.charCodeAt(0) === CR ? first === LF : isLow(first));
}

/** Splits text into pieces that fit into one chunk each, never inside a surrogate pair or a CRLF. */
export function splitText(text: string, sizes: Pick<SizeLimits, 'part'> = DEFAULT_SIZE_LIMITS): string[] {
  const maxBytes = maxContentBytes(sizes);
  if (text === '') return [];
  if (contentBytes(text) <= maxBytes) return [text];
  const pieces: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = endOfPiece(text, start, maxBytes);
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

/** Where a piece of up to `maxBytes` ends that begins at `start`. */
function endOfPiece(text: string, start: number, maxBytes: number): number {
  let bytes = 0;
  let end = start;
  while (end < text.length) {
    const code = text.charCodeAt(end);
    const next = text.charCodeAt(end + 1);
    const isPair = (isHigh(code) && isLow(next)) || (code === CR && next === LF);
    bytes += isPair ? 4 : unitBytes(code);
    if (bytes > maxBytes) break;
    end += isPair ? 2 : 1;
  }
  return end;
}

/** Bytes of a text in a chunk: as JSON without the quotes, and with the cost of line breaks in plain SSE. */
export function contentBytes(text: string): number {
  let bytes = byteLength(JSON.stringify(text)) - 2;
  // A CRLF is one line break, and takes 4 bytes of JSON.
  for (const lineBreak of text.match(/\r\n|\r|\n/g) ?? []) {
    if (lineBreak.length === 1) bytes += LINE_BREAK_BYTES - 2;
  }
  return bytes;
}

/** The end of a text, up to `maxBytes` of UTF-8; never begins inside a surrogate pair or a CRLF. */
export function tailOf(text: string, maxBytes: number): string {
  let from = Math.max(0, text.length - maxBytes);
  for (;;) {
    const excess = byteLength(text.slice(from)) - maxBytes;
    if (excess <= 0) break;
    // A code unit has up to 3 bytes, so this never removes too much.
    from += Math.ceil(excess / 3);
  }
  const before = text.charCodeAt(from - 1);
  const first = text.charCodeAt(from);
  const inside = (isHigh(before) && isLow(first)) || (before === CR && first === LF);
  return text.slice(inside ? from + 1 : from);
}

/** Postgres rejects U+0000 in text, and its driver silently replaces a lone surrogate with U+FFFD. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

/** Whether a column can store a text unchanged. */
export function isStorable(text: string): boolean {
  return !UNSTORABLE.test(text);
}

/**
 * The UTF-8 bytes of a well-formed text, by Node's function where there is one: it is ten times as fast, and publishers
 * measure every event.
 */
export function byteLength(text: string): number {
  return typeof Buffer === 'function' ? Buffer.byteLength(text) : utf8Bytes(text);
}

/** The UTF-8 bytes of a well-formed text. Counted here because Temporal's sandbox has no Buffer. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    // Each half of a surrogate pair counts 2; JSON.stringify escapes a half without its partner.
    if (unit >= 0x80) bytes += unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

/** The start of a text, up to a number of UTF-16 code units, never inside a surrogate pair. */
export function startOf(text: string, maxUnits: number): string {
  return text.length <= maxUnits ? text : text.slice(0, maxUnits).replace(/[\uD800-\uDBFF]$/, '');
}

/** Truncates a text to a number of UTF-16 code units and an ellipsis, never inside a surrogate pair. */
export function truncate(text: string, maxUnits: number): string {
  return text.length <= maxUnits ? text : `${startOf(text, maxUnits)}…`;
}

/** Truncates a text to bytes of JSON, without the quotes, and an ellipsis; never inside a surrogate pair. */
export function truncateToBytes(text: string, maxBytes: number): string {
  const end = endOfPiece(text, 0, maxBytes);
  return end === text.length ? text : `${text.slice(0, end)}…`;
}

const CR = 0x0d;
const LF = 0x0a;
const isHigh = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;
const isLow = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff;

/** Bytes of one code unit as `contentBytes` counts them, outside of surrogate pairs and CRLF. */
function unitBytes(code: number): number {
  if (code === CR || code === LF) return LINE_BREAK_BYTES;
  if (code === 0x22 || code === 0x5c) return 2;
  if (code < 0x20) return code === 0x08 || code === 0x09 || code === 0x0c ? 2 : 6;
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return isHigh(code) || isLow(code) ? 6 : 3;
}
