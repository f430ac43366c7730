// GraphQL subscriptions that continue after their last event when a connection breaks: the part that the helpers for
// GraphQL clients share. The cursor is sent as `Last-Event-ID`, so documents and variables stay as the application wrote
// them (PROTOCOL.md, "Subscriptions").
import { closedByReturn } from '../closed-by-return.ts';
import { type ConnectionOptions, createConnection } from '../connection.ts';
import { type ConnectionState, isFinalState } from '../connection-state.ts';
import { createStreamAttempts } from '../event-stream.ts';
import { createTokens, type TokenSource } from '../tokens.ts';
import { createResultDecoder, type SubscriptionResult } from './results.ts';

/** The options of the connections that subscriptions have, one for each. */
export interface SubscriptionOptions extends ConnectionOptions {
  /** The GraphQL endpoint: `https://streams.example.com/graphql`, or `/graphql` for the page's own origin. */
  readonly url: string;
  /**
   * Sent as `Authorization: Bearer`. A function is called before the first request, before a reconnect and after a 401:
   * once at a time, for all subscriptions together.
   * @default none
   */
  readonly token?: TokenSource;
  /**
   * Called after each change of a subscription's connection, for example to show that it is interrupted.
   * @default none
   */
  readonly onConnection?: (state: ConnectionState, request: SubscriptionRequest) => void;
}

/** The parameters of a GraphQL request. */
export interface SubscriptionRequest {
  readonly query?: string | undefined;
  readonly operationName?: string | undefined;
  readonly variables?: object | undefined;
  readonly extensions?: object | undefined;
}

/** Additional headers of a request, in any form that `new Headers` accepts. */
export type RequestHeaders = ConstructorParameters<typeof Headers>[0];

/** Receives the results of a subscription. */
export interface Sink<Result> {
  next(result: Result): void;
  /**
   * The server has rejected the request permanently (an ExecstreamError with a `code`), `next` has thrown, or the signal
   * was aborted. Nothing follows.
   */
  error(error: Error): void;
  /** The execution has ended, or the subscription was closed. Nothing follows. */
  complete(): void;
}

export interface Subscriptions {
  /**
   * The results of a subscription, once and in order, across connections. Nothing is read from the network while the
   * loop's body is busy.
   * @throws ExecstreamError with a `code`, if the server rejects the request permanently (400, 401, 403, 404)
   */
  iterate(
    request: SubscriptionRequest,
    headers?: RequestHeaders,
  ): AsyncGenerator<SubscriptionResult, void, undefined>;
  /** Passes the results to a sink. Returns a function that closes the connection. */
  subscribe<Result>(request: SubscriptionRequest, sink: Sink<Result>, headers?: RequestHeaders): () => void;
  /** Closes all subscriptions. */
  close(): void;
}

export function createSubscriptions({
  url,
  token,
  onConnection,
  ...options
}: SubscriptionOptions): Subscriptions {
  const tokens = createTokens(token);
  const open = new Set<AsyncGenerator>();

  function iterate(
    request: SubscriptionRequest,
    headers?: RequestHeaders,
  ): AsyncGenerator<SubscriptionResult, void, undefined> {
    const { query, operationName, variables, extensions } = request;
    const connection = createConnection(options, tokens);
    const attempts = createStreamAttempts({
      url,
      // In lower case, so that none of them is sent twice.
      headers: { ...Object.fromEntries(new Headers(headers)), 'content-type': 'application/json' },
      // A POST, because a document can be longer than a URL may be.
      body: JSON.stringify({ query, operationName, variables, extensions }),
      lastEventId: '',
      decode: createResultDecoder(),
    });
    const results = closedByReturn(connection, connection.run(attempts));
    open.add(results);
    connection.subscribe(() => {
      if (isFinalState(connection.state)) open.delete(results);
      onConnection?.(connection.state, request);
    });
    return results;
  }

  return {
    iterate,
    subscribe(request, sink, headers) {
      const results = iterate(request, headers);
      pass(results, sink as Sink<unknown>);
      return () => void results.return();
    },
    close() {
      for (const results of open) results.return(undefined);
    },
  };
}

async function pass<Result>(results: AsyncIterable<Result>, sink: Sink<Result>): Promise<void> {
  try {
    for await (const result of results) sink.next(result);
  } catch (error) {
    return sink.error(error as Error);
  }
  sink.complete();
}
