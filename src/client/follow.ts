// One execution as a store: its events, reduced to a state.
import type { ExecutionEvent, ExecutionKind, ExecutionMode } from '../event/events.ts';
import { type ExecutionState, initialState, reduce } from '../event/state.ts';
import type { Attempt, Connection } from './connection.ts';
import { positionOf } from './execution-events.ts';
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
  readonly mode?: ExecutionMode | undefined;
  readonly initial?: ExecutionState | undefined;
  readonly storage: StateStorage | undefined;
  readonly tabs: TabSharing | undefined;
}

type Attempts<T> = (attempt: Attempt) => AsyncGenerator<T, void, undefined>;

/** A state that another tab has. */
export interface SharedState {
  readonly state: ExecutionState;
}

/**
 * How the tabs of an origin share one connection. Returns attempts to get the events from whichever tab has it.
 * @param name identifies the execution
 * @param stateOf this tab's state
 * @param own creates the attempts of this tab's own connection, after its state
 */
export type TabSharing = (
  name: string,
  stateOf: () => ExecutionState,
  own: () => Attempts<ExecutionEvent>,
) => Attempts<ExecutionEvent | SharedState>;

/**
 * Connects immediately.
 * @param attempts creates the attempts to get the events after a cursor; empty for all
 */
export function followExecution(
  connection: Connection,
  attempts: (after: string) => Attempts<ExecutionEvent>,
  { kind, id, mode, initial, storage, tabs }: FollowRequest,
): FollowedExecution {
  const key = `execstream:${kind}:${id}`;
  const start = initial ?? initialState(kind, mode);
  let state = newer(loadState(storage, key, initialState(kind, mode)) ?? start, start);
  const writer = createStateWriter(storage, key, () => state);

  async function reduceAll(): Promise<ExecutionState> {
    try {
      const own = () => attempts(state.cursor);
      for await (const item of connection.run(tabs?.(`${key}:${mode}`, () => state, own) ?? own())) {
        const next = 'state' in item ? newer(state, item.state) : reduce(state, item);
        if (next === state) continue;
        state = next;
        writer?.schedule();
        connection.notify();
      }
      return state;
    } finally {
      writer?.close();
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

/** Another state of the execution, unless this one has more events of the same log, or the other has none. */
function newer(state: ExecutionState, other: ExecutionState): ExecutionState {
  if (other.cursor === '') return state;
  const [seq, epoch] = positionOf(state.cursor);
  const [otherSeq, otherEpoch] = positionOf(other.cursor);
  return epoch === otherEpoch && otherSeq <= seq ? state : other;
}
