// The package entry `execstream/client/relay`: subscriptions of Relay. Relay's own class is a parameter, so that a page has
// one copy of it.
import type { GraphQLResponse, Observable, SubscribeFunction } from 'relay-runtime';
import { createSubscriptions, type SubscriptionOptions } from './subscriptions.ts';

export type { SubscriptionOptions } from './subscriptions.ts';

export interface SubscribeFunctionOptions extends SubscriptionOptions {
  /** `Observable` of `relay-runtime`. */
  readonly Observable: typeof Observable;
}

/**
 * Creates the second argument of Relay's `Network.create`. Its subscriptions continue after their last event when a
 * connection breaks.
 *
 * A subscription that the server rejects permanently (400, 401, 403, 404) ends with an ExecstreamError, which has a `code`.
 * @example
 * const network = Network.create(fetchQuery, createSubscribeFunction({ url: '/graphql', Observable }));
 */
export function createSubscribeFunction({
  Observable,
  ...options
}: SubscribeFunctionOptions): SubscribeFunction {
  const { subscribe } = createSubscriptions(options);
  return ({ name, text }, variables) =>
    Observable.create((sink) =>
      subscribe<GraphQLResponse>({ operationName: name, query: text ?? '', variables }, sink),
    );
}
