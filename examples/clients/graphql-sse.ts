// graphql-sse: subscriptions continue after their last event whenever the connection breaks.
import { createClient } from 'graphql-sse';
import { type ResumableClient, resumable } from '../../src/client/graphql/graphql-sse.ts';

export function createGraphQLClient(url: string): ResumableClient {
  return resumable(createClient({ url }), { url });
}
