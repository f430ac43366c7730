// graphql-sse in single connection mode, in which several subscriptions share a connection: each of them continues after
// its last event whenever the connection breaks. Messages have no `id:` there, so the document needs `id` and `$after`.
import {
  type Client,
  createClient,
  type ExecutionResult,
  NetworkError,
  type RequestParams,
  type Sink,
} from 'graphql-sse';

/** The client retries a `NetworkError` only, and reports a connection that breaks between two results as another error. */
export const networkErrors = (fetchFn = fetch): typeof fetch => {
  async function* chunksOf(body: ReadableStream<Uint8Array>) {
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read().catch((error) => Promise.reject(new NetworkError(error)));
      if (done) throw new NetworkError('the connection was closed');
      yield value;
    }
  }
  return async (input, init) => {
    const response = await fetchFn(input, init);
    const { body } = response;
    return body ? Object.defineProperty(response, 'body', { value: chunksOf(body) }) : response;
  };
};

/** @param url the endpoint of single connection mode, `/graphql/stream` */
export const createSingleClient = (url: string) =>
  createClient({
    url,
    singleConnection: true,
    fetchFn: networkErrors(),
    // By default the client gives up after five attempts.
    retryAttempts: Number.POSITIVE_INFINITY,
    retry: () => new Promise<void>((resolve) => setTimeout(resolve, 500 + Math.random() * 500)),
  });

type Data = Record<string, { id?: string } | null>;
type Extensions = Record<string, unknown>;

/** `client.subscribe` for a document that selects `id` and has the variable `$after`. */
export function subscribe(
  client: Pick<Client<boolean>, 'subscribe'>,
  request: RequestParams,
  sink: Sink<ExecutionResult<Data, Extensions>>,
): () => void {
  let cursor = request.variables?.after;
  const variables = {
    ...request.variables,
    // The client reads the variables again for every attempt.
    get after() {
      return cursor;
    },
  };
  return client.subscribe<Data, Extensions>(
    { ...request, variables },
    {
      ...sink,
      next(result) {
        cursor = Object.values(result.data ?? {})[0]?.id ?? cursor;
        sink.next(result);
      },
    },
  );
}
