// JSON Pointer (RFC 6901): the places that the operations of a JSON Patch name.
import { ExecstreamError } from './errors.ts';

/**
 * The keys and indices that a pointer names, outermost first; none for the whole document.
 * @throws ExecstreamError `BAD_USER_INPUT`
 */
export function parsePointer(pointer: string): string[] {
  if (typeof pointer !== 'string') throw inapplicable('path: expected a JSON Pointer');
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw inapplicable('a JSON Pointer begins with "/"');
  if (/~(?![01])/.test(pointer)) throw inapplicable('a "~" in a JSON Pointer is followed by 0 or 1');
  const tokens = pointer.slice(1).split('/').map(unescaped);
  rejectPrototypes(tokens);
  return tokens;
}

/**
 * The index that a token names in an array; its length for a new element at the end.
 * @throws ExecstreamError `BAD_USER_INPUT`
 */
export function indexIn(array: readonly unknown[], token: string): number {
  if (token === '-') return array.length;
  const index = /^(?:0|[1-9]\d{0,9})$/.test(token) ? Number(token) : Number.NaN;
  if (index <= array.length) return index;
  throw inapplicable(`"${shorten(token)}" is not an index of an array of ${array.length}`);
}

/** The error for an operation that cannot be applied. */
export function inapplicable(message: string): ExecstreamError {
  return new ExecstreamError('BAD_USER_INPUT', message);
}

/** A text of the caller's in a message. */
export function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** What common JSON Patch libraries reject in a path: viewers could not apply it. */
function rejectPrototypes(tokens: readonly string[]): void {
  tokens.forEach((token, i) => {
    if (token === '__proto__' || (token === 'prototype' && tokens[i - 1] === 'constructor')) {
      throw inapplicable(`the path names ${token}, which JSON Patch libraries reject`);
    }
  });
}

function unescaped(token: string): string {
  return !token.includes('~') ? token : token.replaceAll('~1', '/').replaceAll('~0', '~');
}
