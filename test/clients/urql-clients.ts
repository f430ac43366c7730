// urql with graphql-sse and with its own event streams, as documented and with the code of examples/clients.
import { fetchExchange, type OperationResult, subscriptionExchange, Client as UrqlClient } from '@urql/core';
import { createClient } from 'graphql-sse';
import { createFetchUrqlClient, createSseUrqlClient, subscribeAgain } from '../../examples/clients/urql.ts';
import type { Client, Watched } from './clients.ts';
import { DOCUMENT, seenOf, type WatchData } from './graphql-sse-clients.ts';

/** Runs a subscription until its last result. */
function untilLast(
  { note, signal }: Watched,
  start: (onResult: (result: OperationResult) => void) => () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = start(({ data, error, hasNext }) => {
      if (error) reject(error);
      // The result that reports the end repeats the data of the one before it.
      else if (!hasNext) resolve();
      else note(seenOf(data as WatchData));
    });
    signal.addEventListener('abort', stop);
  });
}

const watchWith = (client: UrqlClient, watched: Watched) =>
  untilLast(watched, (onResult) => {
    const subscription = client.subscription(DOCUMENT, { id: watched.id }).subscribe(onResult);
    return () => subscription.unsubscribe();
  });

function createBareUrqlClient(url: string): UrqlClient {
  const sse = createClient({ url });
  return new UrqlClient({
    url,
    preferGetMethod: false,
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({ unsubscribe: sse.subscribe({ query, variables }, sink) }),
        }),
      }),
    ],
  });
}

export const URQL: readonly Client[] = [
  {
    name: 'urql, graphql-sse',
    reconnecting: 'replays',
    watch: (watched) => watchWith(createBareUrqlClient(`${watched.url}/graphql`), watched),
  },
  {
    name: 'urql, graphql-sse, resuming',
    reconnecting: 'resumes',
    watch: (watched) => watchWith(createSseUrqlClient(watched.url), watched),
  },
  {
    name: 'urql, fetchSubscriptions',
    reconnecting: 'error',
    watch: (watched) => watchWith(createFetchUrqlClient(watched.url), watched),
  },
  {
    name: 'urql, fetchSubscriptions, resuming',
    reconnecting: 'resumes',
    watch: (watched) =>
      untilLast(watched, (onResult) =>
        subscribeAgain(createFetchUrqlClient(watched.url), DOCUMENT, { id: watched.id }, onResult),
      ),
  },
];
