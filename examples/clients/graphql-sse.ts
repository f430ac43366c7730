// graphql-sse: a subscription that continues after its last event whenever the connection breaks.
import { type Client, createClient, type ExecutionResult, type RequestParams, type Sink } from 'graphql-sse';

/** The client's own retries, without a limit: by default it gives up after five. */
const FOREVER = {
  retryAttempts: Number.POSITIVE_INFINITY,
  retry: () => new Promise<void>((resolve) => setTimeout(resolve, 500 + Math.random() * 500)),
};

/** One connection per subscription. */
export const createDistinctClient = (url: string) => createClient({ url: `${url}/graphql`, ...FOREVER });

/** One connection for all subscriptions, for browsers over HTTP/1.1. */
export const createSingleClient = (url: string) =>
  createClient({ url: `${url}/graphql/stream`, singleConnection: true, ...FOREVER });

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
