// JSON Pointer (RFC 6901): the places that the operations of a JSON Patch name.

/** An operation of a JSON Patch that does not apply. The reducer loads this file, so it does without `errors.ts`. */
export class PatchError extends Error {
  override readonly name = 'PatchError';
}

/**
 * The member names and indices of a pointer, outermost first; none for the root.
 * @throws PatchError
 */
export function parsePointer(pointer: string): string[] {
  if (typeof pointer !== 'string') throw new PatchError('path: expected a JSON Pointer');
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw new PatchError('a JSON Pointer begins with "/"');
  if (/~(?![01])/.test(pointer)) throw new PatchError('a "~" in a JSON Pointer is followed by 0 or 1');
  const tokens = pointer.slice(1).split('/').map(unescapeToken);
  rejectPrototypes(tokens);
  return tokens;
}

/**
 * The index that a token names in an array; the array's length for a new element at the end.
 * @throws PatchError
 */
export function indexIn(array: readonly unknown[], token: string): number {
  if (token === '-') return array.length;
  const index = /^(?:0|[1-9]\d{0,9})$/.test(token) ? Number(token) : Number.NaN;
  if (index <= array.length) return index;
  throw new PatchError(`"${shorten(token)}" is not an index of an array of ${array.length}`);
}

/** Limits a caller's text in an error message. */
export function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** Rejects what common JSON Patch libraries reject in a path: viewers that use them could not apply the patch. */
function rejectPrototypes(tokens: readonly string[]): void {
  tokens.forEach((token, i) => {
    if (token === '__proto__' || (token === 'prototype' && tokens[i - 1] === 'constructor')) {
      throw new PatchError(`the path contains ${token}, which JSON Patch libraries reject`);
    }
  });
}

function unescapeToken(token: string): string {
  return !token.includes('~') ? token : token.replaceAll('~1', '/').replaceAll('~0', '~');
}
