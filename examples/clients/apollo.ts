// Apollo Client: subscriptions that continue after their last event whenever the connection breaks, over graphql-sse or
// over Apollo's own multipart protocol.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, Observable } from '@apollo/client';
import { ServerError } from '@apollo/client/errors';
import { RetryLink } from '@apollo/client/link/retry';
import { print } from 'graphql';
import { type ClientOptions, createClient, type Client as SseClient } from 'graphql-sse';
import { tap } from 'rxjs';

/** The link that graphql-sse documents for Apollo. */
export class SSELink extends ApolloLink {
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

/** Gives every attempt of the links after it the cursor of the last event as `$after`. */
const resumeLink = new ApolloLink((operation, forward) => {
  let cursor = operation.variables.after;
  Object.defineProperty(operation.variables, 'after', { enumerable: true, get: () => cursor });
  return forward(operation).pipe(
    tap(({ data }) => {
      cursor = Object.values(data ?? {})[0]?.id ?? cursor;
    }),
  );
});

/** Subscriptions over graphql-sse, queries and mutations over HTTP. */
export function createSseApolloClient(url: string): ApolloClient {
  const sseLink = new SSELink({
    url,
    retryAttempts: Number.POSITIVE_INFINITY,
    retry: () => new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 500)),
  });
  return createApolloClient(url, ApolloLink.from([resumeLink, sseLink]));
}

/** Subscriptions over HTTP as `multipart/mixed`, which needs no other package. */
export function createMultipartApolloClient(url: string): ApolloClient {
  const retryLink = new RetryLink({
    attempts: { max: Number.POSITIVE_INFINITY, retryIf: (error) => !isRejected(error) },
    delay: () => 500 + Math.random() * 500,
  });
  return createApolloClient(url, ApolloLink.from([resumeLink, retryLink, new HttpLink({ uri: url })]));
}

function createApolloClient(url: string, subscriptions: ApolloLink): ApolloClient {
  return new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(
      ({ operationType }) => operationType === 'subscription',
      subscriptions,
      new HttpLink({ uri: url }),
    ),
  });
}

/** Whether the request would be rejected again. */
const isRejected = (error: unknown) =>
  ServerError.is(error) && error.statusCode >= 400 && error.statusCode < 500 && error.statusCode !== 429;
