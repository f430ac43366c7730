// GraphiQL's page, without any outside host: nine megabytes, so it is put together once.
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';

const EXAMPLE = `# Watch an execution: pick an id from the query, then run the subscription.
query Latest {
  executions(first: 5) { edges { node { id kind status } } }
}

subscription Watch($id: ID!) {
  agentStream(id: $id) {
    id
    type
    ... on LlmChunk { content }
    ... on Complete { status durationMs }
  }
}
`;

let page: string | undefined;
let bytes: Buffer<ArrayBuffer> | undefined;

/** The page's bytes: one copy for all responses, also while their clients are slow to read them. */
export function graphiqlBytes(): Buffer<ArrayBuffer> {
  bytes ??= Buffer.from(graphiqlPage());
  return bytes;
}

/** The page; the same for everybody. */
export function graphiqlPage(): string {
  page ??= renderGraphiQL({
    title: 'execstream',
    defaultQuery: EXAMPLE,
    subscriptionsProtocol: 'SSE',
  }).trimStart();
  return page;
}
