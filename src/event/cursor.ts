// A position in a log: `<seq>-<epoch>` on the wire, also a bare `<seq>` from a client (PROTOCOL.md, "Cursors").
import { ExecstreamError } from './errors.ts';

export interface Cursor {
  /** The last seq that was read; 0 where nothing was. */
  readonly seq: number;
  /** The incarnation of the log that the seq belongs to; absent in a bare cursor, which means any. */
  readonly epoch?: string;
}

const CURSOR = /^(0|[1-9]\d{0,15})(?:-([0-9a-z]{10,16}))?$/;

/**
 * Reads a cursor as a client sent it.
 * @throws ExecstreamError `BAD_CURSOR`, naming what was sent.
 */
export function parseCursor(text: string): Cursor {
  const match = CURSOR.exec(text);
  const seq = Number(match?.[1]);
  if (!match || !Number.isSafeInteger(seq)) {
    const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    throw new ExecstreamError(
      'BAD_CURSOR',
      `"${shown}" is not a cursor; expected <seq>-<epoch>, such as 42-k3f9ab01zz`,
    );
  }
  return match[2] === undefined ? { seq } : { seq, epoch: match[2] };
}

/** Writes a cursor as the wire has it. */
export function formatCursor(seq: number, epoch: string): string {
  return `${seq}-${epoch}`;
}

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/** A random epoch, 12 letters and digits: about 62 bits, so that no two incarnations share one. */
export function newEpoch(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join('');
}
