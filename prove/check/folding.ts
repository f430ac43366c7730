// What a viewer's events add up to, built as PROTOCOL.md tells a client to: void at `reset`, replaced by a `gap`.
// Patches are applied by an implementation of RFC 6902 that shares nothing with the product's.
import { applyJsonPatch, type Operation } from '../../test/support/rfc6902.ts';
import { digest } from './digest.ts';

export interface Folding {
  /** @throws Error where a patch does not apply: the viewer holds another value than the publisher meant. */
  take(type: string, data: Record<string, unknown>): void;
  /** Hash of the text or value so far. */
  readonly digest: string;
}

export function createFolding(mode: 'TEXT' | 'STRUCTURED'): Folding {
  let pieces: string[] = [];
  let value: unknown = null;
  return {
    take(type, data) {
      if (type === 'llm_chunk') pieces.push(String(data.content));
      else if (type === 'structured_delta') {
        value = applyJsonPatch(value, data.patch as Operation[]);
      } else if (type === 'reset') {
        pieces = [];
        value = null;
      } else if (type === 'gap') {
        if (typeof data.text === 'string') pieces = [data.text];
        if ('value' in data) value = data.value;
      }
    },
    get digest() {
      return digest(mode === 'TEXT' ? pieces.join('') : value);
    },
  };
}
