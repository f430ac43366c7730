// A position in a log: `<seq>-<epoch>` on the wire, also a bare `<seq>` from a client (PROTOCOL.md, "Cursors").
import { ExecstreamError } from './errors.ts';

export interface Cursor {
  /** The last seq that was read; 0 if none was. */
  readonly seq: number;
  /** The epoch of the log that the seq belongs to; absent in a bare cursor, which matches any epoch. */
  readonly epoch?: string;
}

const CURSOR = /^(0|[1-9]\d{0,15})(?:-([0-9a-z]{10,16}))?$/;

/**
 * Parses a cursor that a client sent.
 * @throws ExecstreamError `BAD_CURSOR`; the message has the start of the invalid cursor
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

/** Whether a seq and an epoch, as another program stored them, are the position of an event. */
export function isPosition(seq: number, epoch: string): boolean {
  return seq > 0 && CURSOR.test(formatCursor(seq, epoch));
}

/** Formats a cursor for the wire. */
export function formatCursor(seq: number, epoch: string): string {
  return `${seq}-${epoch}`;
}

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/** A random epoch of 12 letters and digits: about 62 bits, so that no two logs share one. */
export function newEpoch(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join('');
}
