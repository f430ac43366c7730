// The package entry `execstream/client/apollo`: subscriptions of Apollo Client 4. Apollo's own classes are parameters, so
// that a page has one copy of them.
import type { ApolloLink, Observable } from '@apollo/client';
import { createSubscriptions, type SubscriptionOptions } from './subscriptions.ts';

export type { SubscriptionOptions } from './subscriptions.ts';

export interface SubscriptionHandlerOptions extends SubscriptionOptions {
  /** `Observable` of `@apollo/client`. */
  readonly Observable: typeof Observable;
  /** `print` of `graphql`. */
  readonly print: (document: ApolloLink.Operation['query']) => string;
}

/**
 * Creates the request handler of a link whose subscriptions continue after their last event when a connection breaks.
 * Queries and mutations are forwarded to the next link. `headers` of an operation's context are sent with each request.
 *
 * A subscription that the server rejects permanently (400, 401, 403, 404) ends with an ExecstreamError, which has a `code`.
 * @example
 * const subscriptions = new ApolloLink(createSubscriptionHandler({ url: '/graphql', Observable, print }));
 * const link = ApolloLink.from([subscriptions, new HttpLink({ uri: '/graphql' })]);
 */
export function createSubscriptionHandler({
  Observable,
  print,
  ...options
}: SubscriptionHandlerOptions): ApolloLink.RequestHandler {
  const { subscribe } = createSubscriptions(options);
  return (operation, forward) => {
    if (operation.operationType !== 'subscription') return forward(operation);
    return new Observable((observer) =>
      subscribe({ ...operation, query: print(operation.query) }, observer, operation.getContext().headers),
    );
  };
}
