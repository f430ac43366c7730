// Apollo Client with graphql-sse's link and with multipart subscriptions, as documented, and with the helper of this
// package.
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache, Observable } from '@apollo/client';
import { print } from 'graphql';
import { type ClientOptions, createClient, type Client as SseClient } from 'graphql-sse';
import { createApolloClient } from '../../examples/clients/apollo.ts';
import type { Client, Watched } from './clients.ts';
import { DOCUMENT, DOCUMENT_WITHOUT_CURSOR, seenOf, type WatchData } from './graphql-sse-clients.ts';

const QUERY = gql(DOCUMENT);
const QUERY_WITHOUT_CURSOR = gql(DOCUMENT_WITHOUT_CURSOR);

/** The link that graphql-sse documents for Apollo. */
class SSELink extends ApolloLink {
  readonly #client: SseClient;

  constructor(options: ClientOptions) {
    super();
    this.#client = createClient(options);
  }

  override request(operation: ApolloLink.Operation): Observable<ApolloLink.Result> {
    return new Observable((sink) =>
      this.#client.subscribe(
        { ...operation, query: print(operation.query) },
        {
          next: (result) => sink.next(result as ApolloLink.Result),
          complete: () => sink.complete(),
          error: (error) => sink.error(error),
        },
      ),
    );
  }
}

function watchWith(client: ApolloClient, { id, note, signal }: Watched, query = QUERY): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { query, variables: { id }, fetchPolicy: 'no-cache' } as const;
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
    name: 'Apollo Client, multipart',
    reconnecting: 'error',
    watch: (watched) => watchWith(clientOf(new HttpLink({ uri: `${watched.url}/graphql` })), watched),
  },
  {
    name: 'Apollo Client, execstream/client/apollo',
    reconnecting: 'resumes',
    watch: (watched) =>
      watchWith(createApolloClient(`${watched.url}/graphql`), watched, QUERY_WITHOUT_CURSOR),
  },
];
