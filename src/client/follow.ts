// One execution as a store: its events, reduced to a state.
import type { ExecutionEvent, ExecutionKind, ExecutionMode } from '../event/events.ts';
import { type ExecutionState, initialState, reduce } from '../event/state.ts';
import type { Connection } from './connection.ts';
import { createStateWriter, loadState, type StateStorage } from './state-storage.ts';
import { createStore, type Store } from './store.ts';

/** An execution that is being followed. */
export interface FollowedExecution extends Store<ExecutionState> {
  /**
   * The final state, once the execution has ended. An execution that failed does not reject it: see `state.status`.
   * It rejects with an ExecstreamError if the server rejects the request permanently, and with an `AbortError`, or the
   * signal's reason, if the store is closed before the end.
   */
  readonly ended: Promise<ExecutionState>;
}

export interface FollowRequest {
  readonly kind: ExecutionKind;
  readonly id: string;
  readonly mode: ExecutionMode | undefined;
  readonly storage: StateStorage | undefined;
  readonly connection: Connection;
  /** The events after a cursor; empty for all. */
  events(after: string): AsyncIterable<ExecutionEvent>;
}

/** Connects immediately. */
export function followExecution({
  kind,
  id,
  mode,
  storage,
  connection,
  events,
}: FollowRequest): FollowedExecution {
  const key = `execstream:${kind}:${id}`;
  const initial = initialState(kind, mode);
  let state = loadState(storage, key, initial) ?? initial;
  const writer = createStateWriter(storage, key, () => state);

  async function reduceAll(): Promise<ExecutionState> {
    try {
      for await (const event of events(state.cursor)) {
        const next = reduce(state, event);
        if (next === state) continue;
        state = next;
        writer.schedule();
        connection.notify();
      }
      return state;
    } finally {
      writer.close();
    }
  }

  const ended = reduceAll();
  // An application that does not use it has no unhandled rejection: `connection` has the error, too.
  ended.catch(() => {});
  return Object.assign(
    createStore(connection, () => state),
    { ended },
  );
}
