// Keeps the state of an execution, and with it the cursor, so that a page that is loaded again shows it immediately.
import type { ExecutionState } from '../event/state.ts';
import { observePage } from './page-lifecycle.ts';

/** Where states are kept, as JSON: `sessionStorage`, `localStorage`, or any other store with these methods. */
export interface StateStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** A state with a long text costs its length for each write. */
const WRITE_EVERY_MS = 1_000;

/** The stored state under a key; undefined if there is none, or it cannot be used. */
export function loadState(
  storage: StateStorage | undefined,
  key: string,
  initial: ExecutionState,
): ExecutionState | undefined {
  try {
    const state = JSON.parse(storage?.getItem(key) ?? '{}');
    // Another version of this package may have written it. A value may be of any type.
    const isSame = (name: keyof ExecutionState) =>
      name === 'value' || typeof state[name] === typeof initial[name];
    const names = Object.keys(initial) as (keyof ExecutionState)[];
    return state.kind === initial.kind && names.every(isSame) ? state : undefined;
  } catch {
    return undefined;
  }
}

export interface StateWriter {
  /** Writes the state within a second, or when the page is hidden. */
  schedule(): void;
  /** Writes a scheduled state immediately, and ends. */
  close(): void;
}

/** Storage that is full, or not allowed, is ignored: the state is complete without it. */
export function createStateWriter(
  storage: StateStorage | undefined,
  key: string,
  stateOf: () => ExecutionState,
): StateWriter | undefined {
  if (!storage) return undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = () => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    try {
      storage.setItem(key, JSON.stringify(stateOf()));
    } catch {}
  };
  const stopObserving = observePage({ onWake: () => {}, onHide: write });
  return {
    schedule: () => {
      timer ??= setTimeout(write, WRITE_EVERY_MS);
    },
    close: () => {
      write();
      stopObserving();
    },
  };
}
