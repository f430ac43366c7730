// Apollo Client with graphql-sse's link and with multipart subscriptions, as documented and with the code of
// examples/clients.
import { ApolloClient, type ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import {
  createMultipartApolloClient,
  createSseApolloClient,
  SSELink,
} from '../../examples/clients/apollo.ts';
import type { Client, Watched } from './clients.ts';
import { DOCUMENT, seenOf, type WatchData } from './graphql-sse-clients.ts';

const QUERY = gql(DOCUMENT);

function watchWith(client: ApolloClient, { id, note, signal }: Watched): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { query: QUERY, variables: { id }, fetchPolicy: 'no-cache' } as const;
    const subscription = client.subscribe<WatchData>(options).subscribe({
      next: ({ data, error }) => {
        if (data) note(seenOf(data));
        else reject(error);
      },
      complete: resolve,
      error: reject,
    });
    signal.addEventListener('abort', () => subscription.unsubscribe());
  });
}

const clientOf = (link: ApolloLink) => new ApolloClient({ cache: new InMemoryCache(), link });

export const APOLLO: readonly Client[] = [
  {
    name: 'Apollo Client, SSELink',
    reconnecting: 'replays',
    watch: (watched) => watchWith(clientOf(new SSELink({ url: `${watched.url}/graphql` })), watched),
  },
  {
    name: 'Apollo Client, SSELink, resuming',
    reconnecting: 'resumes',
    watch: (watched) => watchWith(createSseApolloClient(`${watched.url}/graphql`), watched),
  },
  {
    name: 'Apollo Client, multipart',
    reconnecting: 'error',
    watch: (watched) => watchWith(clientOf(new HttpLink({ uri: `${watched.url}/graphql` })), watched),
  },
  {
    name: 'Apollo Client, multipart, resuming',
    reconnecting: 'resumes',
    watch: (watched) => watchWith(createMultipartApolloClient(`${watched.url}/graphql`), watched),
  },
];
