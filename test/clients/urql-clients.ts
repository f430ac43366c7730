// urql with graphql-sse and with its own event streams, as documented, and with the helper of this package.
import { fetchExchange, subscriptionExchange, Client as UrqlClient } from '@urql/core';
import { createClient } from 'graphql-sse';
import { createUrqlClient } from '../../examples/clients/urql.ts';
import type { Client, Watched } from './clients.ts';
import { DOCUMENT, DOCUMENT_WITHOUT_CURSOR, seenOf, type WatchData } from './graphql-sse-clients.ts';

function watchWith(client: UrqlClient, { id, note, signal }: Watched, document = DOCUMENT): Promise<void> {
  return new Promise((resolve, reject) => {
    const { unsubscribe } = client.subscription(document, { id }).subscribe(({ data, error, hasNext }) => {
      if (error) reject(error);
      // The result that reports the end repeats the data of the one before it.
      else if (!hasNext) resolve();
      else note(seenOf(data as WatchData));
    });
    signal.addEventListener('abort', unsubscribe);
  });
}

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

/** Everything over fetch. */
export const createFetchUrqlClient = (url: string): UrqlClient =>
  new UrqlClient({ url, preferGetMethod: false, fetchSubscriptions: true, exchanges: [fetchExchange] });

export const URQL: readonly Client[] = [
  {
    name: 'urql, graphql-sse',
    reconnecting: 'replays',
    watch: (watched) => watchWith(createBareUrqlClient(`${watched.url}/graphql`), watched),
  },
  {
    name: 'urql, fetchSubscriptions',
    reconnecting: 'error',
    watch: (watched) => watchWith(createFetchUrqlClient(`${watched.url}/graphql`), watched),
  },
  {
    name: 'urql, execstream/client/urql',
    reconnecting: 'resumes',
    watch: (watched) =>
      watchWith(createUrqlClient(`${watched.url}/graphql`), watched, DOCUMENT_WITHOUT_CURSOR),
  },
];
