// graphql-sse in both modes, as its documentation shows it, and with the code of examples/clients.
import { createClient, type ExecutionResult, type Sink, type Client as SseClient } from 'graphql-sse';
import { createGraphQLClient } from '../../examples/clients/graphql-sse.ts';
import { createSingleClient, subscribe } from '../../examples/clients/graphql-sse-single-connection.ts';
import type { Client, Reconnecting, Seen, Watched } from './clients.ts';

export const DOCUMENT = `
  subscription Watch($id: ID!, $after: Cursor) {
    agentStream(id: $id, after: $after) { id type data ... on LlmChunkEvent { content } }
  }
`;

/** The same without a variable for the cursor, which the helpers of this package do not need. */
export const DOCUMENT_WITHOUT_CURSOR = DOCUMENT.replace(', $after: Cursor', '').replace(
  ', after: $after',
  '',
);

/** What the documents select. */
export interface WatchData {
  readonly agentStream: { readonly id: string; readonly type: string; readonly content?: string };
}

export function seenOf({ agentStream: { id, type, content } }: WatchData): Seen {
  return { id, type: type.toLowerCase(), content };
}

/** @throws Error for a result with errors, which is how a rejected subscription is reported. */
export function seenOfResult(result: { data?: unknown; errors?: unknown }): Seen {
  if (result.errors) throw new Error(JSON.stringify(result.errors));
  return seenOf(result.data as WatchData);
}

/** Runs a subscription through a sink until it ends. */
export function untilEnd(
  { note, signal }: Watched,
  start: (sink: Sink<ExecutionResult<never, never>>) => () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = start({
      next: (result) => {
        try {
          note(seenOfResult(result));
        } catch (error) {
          reject(error);
        }
      },
      complete: resolve,
      error: reject,
    });
    signal.addEventListener('abort', stop);
  });
}

const requestOf = ({ id }: Watched) => ({ query: DOCUMENT, variables: { id } });

const bare = (
  name: string,
  reconnecting: Reconnecting,
  create: (url: string) => Pick<SseClient<boolean>, 'subscribe'>,
): Client => ({
  name,
  reconnecting,
  watch: (watched) => untilEnd(watched, (sink) => create(watched.url).subscribe(requestOf(watched), sink)),
});

export const GRAPHQL_SSE: readonly Client[] = [
  bare('graphql-sse', 'replays', (url) => createClient({ url: `${url}/graphql` })),
  // The connection may break while the operation is sent: see `networkErrors` in the example.
  bare('graphql-sse, single connection', 'replays or error', (url) =>
    createClient({ url: `${url}/graphql/stream`, singleConnection: true }),
  ),
  {
    name: 'graphql-sse, execstream/client/graphql-sse',
    reconnecting: 'resumes',
    watch: (watched) => {
      const client = createGraphQLClient(`${watched.url}/graphql`);
      const request = { query: DOCUMENT_WITHOUT_CURSOR, variables: { id: watched.id } };
      return untilEnd(watched, (sink) => client.subscribe(request, sink));
    },
  },
  {
    name: 'graphql-sse, single connection, resuming',
    reconnecting: 'resumes',
    watch: (watched) => {
      const client = createSingleClient(`${watched.url}/graphql/stream`);
      return untilEnd(watched, (sink) => subscribe(client, requestOf(watched), sink));
    },
  },
];
