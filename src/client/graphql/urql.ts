// The package entry `execstream/client/urql`: subscriptions of urql.
import type { ExecutionResult, SubscriptionForwarder } from '@urql/core';
import { createSubscriptions, type SubscriptionOptions } from './subscriptions.ts';

export type { SubscriptionOptions } from './subscriptions.ts';

/**
 * Creates the `forwardSubscription` of urql's `subscriptionExchange`. Its subscriptions continue after their last event
 * when a connection breaks. Queries and mutations are those of the other exchanges. `fetchOptions.headers` of an
 * operation's context are sent with each request.
 *
 * A subscription that the server rejects permanently (400, 401, 403, 404) ends with an ExecstreamError, which has a
 * `code`, as `networkError`.
 * @example
 * subscriptionExchange({ forwardSubscription: createForwardSubscription({ url: '/graphql' }) })
 */
export function createForwardSubscription(options: SubscriptionOptions): SubscriptionForwarder {
  const { subscribe } = createSubscriptions(options);
  return (request, { context: { fetchOptions } }) => ({
    subscribe(observer) {
      const { headers } = (typeof fetchOptions === 'function' ? fetchOptions() : fetchOptions) ?? {};
      return { unsubscribe: subscribe<ExecutionResult>(request, observer, headers) };
    },
  });
}
