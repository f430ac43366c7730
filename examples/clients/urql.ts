// urql: subscriptions that continue after their last event whenever the connection breaks, over graphql-sse or over
// urql's own fetch.
import {
  type AnyVariables,
  Client,
  type CombinedError,
  fetchExchange,
  type OperationResult,
  subscriptionExchange,
} from '@urql/core';
import { createDistinctClient, subscribe } from './graphql-sse.ts';

/** Subscriptions over graphql-sse, queries and mutations over fetch. */
export function createSseUrqlClient(url: string): Client {
  const sse = createDistinctClient(url);
  return new Client({
    url: `${url}/graphql`,
    preferGetMethod: false,
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({ unsubscribe: subscribe(sse, { query, variables }, sink) }),
        }),
      }),
    ],
  });
}

/** Everything over fetch. Subscriptions report an error when the connection breaks; see `subscribeAgain`. */
export function createFetchUrqlClient(url: string): Client {
  return new Client({
    url: `${url}/graphql`,
    preferGetMethod: false,
    fetchSubscriptions: true,
    exchanges: [fetchExchange],
  });
}

type WatchResult = Record<string, { id?: string } | null>;

/**
 * Subscribes, and again after every network error, from the last event. `$after` and `id` are as in `subscribe`.
 * @param onResult receives the results; the last one has `hasNext: false`
 */
export function subscribeAgain(
  client: Client,
  query: string,
  variables: AnyVariables,
  onResult: (result: OperationResult) => void,
): () => void {
  let cursor = variables?.after;
  let timer: NodeJS.Timeout | undefined;
  let subscription: { unsubscribe(): void } | undefined;
  const isTemporary = (error?: CombinedError) => error?.networkError && !isRejected(error.response?.status);
  const open = () => {
    subscription = client
      .subscription<WatchResult>(query, { ...variables, after: cursor })
      .subscribe((result) => {
        cursor = Object.values(result.data ?? {})[0]?.id ?? cursor;
        if (isTemporary(result.error)) timer = setTimeout(open, 500 + Math.random() * 500);
        else onResult(result);
      });
  };
  open();
  return () => {
    clearTimeout(timer);
    subscription?.unsubscribe();
  };
}

/** A status with which the request would be rejected again. */
const isRejected = (status = 0) => status >= 400 && status < 500 && status !== 429;
