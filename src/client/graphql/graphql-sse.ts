// The package entry `execstream/client/graphql-sse`. graphql-sse's client ignores the `id:` of messages, and its headers
// are the same for all attempts, so subscriptions use connections of this package.
import type { Client, ExecutionResult, RequestParams, Sink } from 'graphql-sse';
import { isSubscription } from './operation-type.ts';
import { createSubscriptions, type SubscriptionOptions } from './subscriptions.ts';

export type { SubscriptionOptions } from './subscriptions.ts';

/** A client of graphql-sse whose subscriptions continue after their last event. */
export interface ResumableClient {
  /** Passes the results to a sink. Returns a function that ends the operation, after which the sink completes. */
  subscribe<Data = Record<string, unknown>, Extensions = unknown>(
    request: RequestParams,
    sink: Sink<ExecutionResult<Data, Extensions>>,
  ): () => void;
  /**
   * The results as an iterator. Those of a subscription are not buffered: nothing is read from the network while the
   * loop's body is busy.
   * @throws ExecstreamError with a `code`, if the server rejects a subscription permanently (400, 401, 403, 404)
   */
  iterate<Data = Record<string, unknown>, Extensions = unknown>(
    request: RequestParams,
  ): AsyncIterableIterator<ExecutionResult<Data, Extensions>>;
  /** Ends all operations. */
  dispose(): void;
}

/**
 * Lets the subscriptions of a graphql-sse client survive their connections: rotations, restarts and crashes of the server,
 * and networks that change. Each subscription has its own connection, and the options here; queries and mutations remain
 * those of the client.
 * @example
 * const client = resumable(createClient({ url: '/graphql' }), { url: '/graphql', token: () => fetchToken() });
 * client.subscribe({ query, variables: { id } }, { next: show, error: report, complete: finish });
 */
export function resumable(client: Client<boolean>, options: SubscriptionOptions): ResumableClient {
  const subscriptions = createSubscriptions(options);
  const isOurs = ({ query, operationName }: RequestParams) => isSubscription(query, operationName);
  return {
    subscribe: (request, sink) =>
      isOurs(request) ? subscriptions.subscribe(request, sink) : client.subscribe(request, sink),
    iterate: (request) =>
      isOurs(request) ? (subscriptions.iterate(request) as never) : client.iterate(request),
    dispose() {
      subscriptions.close();
      client.dispose();
    },
  };
}
