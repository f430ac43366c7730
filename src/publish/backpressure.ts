// Backpressure: publishing calls wait for room in the outbox, for a limited time.
//
//   free ──── no room ──> waiting ──── room ──────> free
//                         waiting ──── timeout ───> exhausted ──── the log accepted a batch ──> free
//
// All calls of one outage share one wait. Without `exhausted`, a producer that never stops would be blocked for the
// timeout on every call while the log is unavailable.
import type { Condition } from '../async/condition.ts';

export interface BackpressureOptions {
  /** Notified when the outbox may have room. */
  readonly condition: Condition;
  /** The longest wait of a call, in ms. */
  readonly blockMs: number;
  hasRoom(): boolean;
}

export interface Backpressure {
  /** Resolves when there is room, or after `blockMs`. Never rejects. */
  room(): Promise<void>;
  /** The log has accepted a batch: calls wait for room again. */
  progress(): void;
}

type BackpressureState =
  | { readonly kind: 'free' | 'exhausted' }
  | { readonly kind: 'waiting'; readonly room: Promise<void> };

export function createBackpressure({ condition, blockMs, hasRoom }: BackpressureOptions): Backpressure {
  let state: BackpressureState = { kind: 'free' };

  async function wait(): Promise<void> {
    const isRoom = await condition.wait(hasRoom, blockMs);
    state = { kind: isRoom ? 'free' : 'exhausted' };
  }

  return {
    room() {
      if (state.kind === 'waiting') return hasRoom() ? Promise.resolve() : state.room;
      if (state.kind === 'exhausted' || hasRoom()) return Promise.resolve();
      const room = wait();
      state = { kind: 'waiting', room };
      return room;
    },
    progress() {
      if (state.kind === 'exhausted') state = { kind: 'free' };
    },
  };
}
