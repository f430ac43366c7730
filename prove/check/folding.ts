// The state of a viewer, built as PROTOCOL.md requires of clients: cleared by `reset`, replaced by `gap`. Patches
// are applied by an implementation of RFC 6902 that shares no code with the product's.
import { applyJsonPatch, type Operation } from '../../test/support/rfc6902.ts';
import { digest } from './digest.ts';

export interface Folding {
  /** @throws Error if a patch does not apply: the viewer's value differs from the publisher's. */
  take(type: string, data: Record<string, unknown>): void;
  /** The hash of the current text or value. */
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
