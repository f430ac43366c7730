// The client of a server: streams and stores that share its URL, its token and its options.
import type { EventType, ExecutionEvent, ExecutionKind, ExecutionMode } from '../event/events.ts';
import type { ExecutionState } from '../event/state.ts';
import { closedByReturn } from './closed-by-return.ts';
import { type ConnectionOptions, createConnection } from './connection.ts';
import type { ConnectionState } from './connection-state.ts';
import { createStreamAttempts } from './event-stream.ts';
import { createEventDecoder, eventsUrl } from './execution-events.ts';
import { type FollowedExecution, followExecution, type TabSharing } from './follow.ts';
import { type ListedExecution, type ListFilter, type ListOptions, listExecutions } from './list.ts';
import type { StateStorage } from './state-storage.ts';
import type { Store } from './store.ts';
import { createTokens, type TokenSource } from './tokens.ts';

/** The options of a client are the defaults of all its streams. */
export interface ClientOptions extends ConnectionOptions {
  /** Where the server is: `https://streams.example.com`, or `/` for the page's own origin. */
  readonly url: string;
  /**
   * Sent as `Authorization: Bearer`. A function is called before the first request, before a reconnect and after a 401:
   * once at a time, for all streams of the client together.
   * @default none
   */
  readonly token?: TokenSource;
  /**
   * Where `follow` keeps the states of executions, for example `sessionStorage`: a page that is loaded again shows them
   * immediately, and continues after them. A storage belongs to one user and one server.
   * @default none
   */
  readonly storage?: StateStorage;
  /**
   * Lets the tabs of an origin follow an execution over one connection: `shareTabs()` of `execstream/client/tabs`.
   * @default none
   */
  readonly tabs?: TabSharing;
}

export interface WatchOptions<Type extends EventType = EventType> extends ConnectionOptions {
  /** A cursor: the stream begins after it. */
  readonly after?: string;
  /**
   * The types to receive. `reset` and `gap` are always sent; the stream ends with the execution even if its terminal
   * event is not among them.
   * @default all
   */
  readonly events?: readonly Type[];
  /**
   * Called after each change of the connection, for example to show that it is interrupted. It begins as `connecting`.
   * @default none
   */
  readonly onConnection?: (state: ConnectionState) => void;
}

export interface FollowOptions extends ConnectionOptions {
  /**
   * Whether the state has a text or a value.
   * @default both, of which one stays empty
   */
  readonly mode?: ExecutionMode;
  /**
   * The state to begin with, for example the one that a server has rendered: the stream continues after it. A stored
   * state with more events takes precedence.
   * @default the state before the first event
   */
  readonly initial?: ExecutionState;
  /** Overrides the client's. */
  readonly storage?: StateStorage;
  /** Overrides the client's. */
  readonly tabs?: TabSharing;
}

export interface Client {
  /**
   * The events of an execution, once and in order. Connections that break are resumed; the iteration ends after the
   * terminal event, or if nothing follows the cursor. While the loop's body is busy, nothing is read from the network.
   * @throws ExecstreamError with a `code`, if the server rejects the request permanently (400, 401, 403, 404)
   * @throws the reason of the signal, if it is aborted
   */
  watch<Type extends EventType = EventType>(
    kind: ExecutionKind,
    id: string,
    options?: WatchOptions<Type>,
  ): AsyncGenerator<ExecutionEvent<Type | 'reset' | 'gap'>, void, undefined>;
  /** An execution as a store of its state. Connects immediately, until the end of the execution or `close`. */
  follow(kind: ExecutionKind, id: string, options?: FollowOptions): FollowedExecution;
  /** The newest executions that match a filter, as a store. Connects immediately, until `close`. */
  list(filter?: ListFilter, options?: ListOptions): Store<readonly ListedExecution[]>;
}

/**
 * Creates a client. It connects when it is used.
 * @example
 * const client = createClient({ url: '/', token: () => fetchToken() });
 * for await (const event of client.watch('agent', id)) show(event);
 */
export function createClient({ url, token, storage, tabs, ...defaults }: ClientOptions): Client {
  const tokens = createTokens(token);

  function attempts(kind: ExecutionKind, id: string, lastEventId: string, events?: readonly EventType[]) {
    const decode = createEventDecoder(lastEventId);
    return createStreamAttempts({ url: eventsUrl(url, kind, id, events), lastEventId, decode });
  }

  return {
    watch<Type extends EventType>(
      kind: ExecutionKind,
      id: string,
      { after = '', events, onConnection, ...options }: WatchOptions<Type> = {},
    ) {
      const connection = createConnection({ ...defaults, ...options }, tokens);
      connection.subscribe(() => onConnection?.(connection.state));
      // The server sends no other types.
      return closedByReturn(connection, connection.run(attempts(kind, id, after, events))) as never;
    },
    follow(kind, id, options = {}) {
      const connection = createConnection({ ...defaults, ...options }, tokens);
      return followExecution(connection, (after) => attempts(kind, id, after), {
        ...options,
        kind,
        id,
        storage: options.storage ?? storage,
        tabs: options.tabs ?? tabs,
      });
    },
    list(filter = {}, options = {}) {
      const connection = createConnection({ pauseWhileHidden: true, ...defaults, ...options }, tokens);
      return listExecutions(connection, url, filter, options);
    },
  };
}
