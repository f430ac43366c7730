// GraphiQL's page, which loads nothing from other hosts. It has 9 MB, so it is rendered once.
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';

const EXAMPLE = `# Watch an execution: pick an id from the query, then run the subscription.
query Latest {
  executions(first: 5) { edges { node { id kind status } } }
}

subscription Watch($id: ID!) {
  agentStream(id: $id) {
    id
    type
    ... on LlmChunkEvent { content }
    ... on CompleteEvent { status durationMs }
  }
}
`;

let page: string | undefined;
let bytes: Buffer<ArrayBuffer> | undefined;

/** The page's bytes: a single copy for all responses, including those whose clients read slowly. */
export function graphiqlBytes(): Buffer<ArrayBuffer> {
  bytes ??= Buffer.from(graphiqlPage());
  return bytes;
}

/** The page, which is the same for all callers. */
export function graphiqlPage(): string {
  page ??= renderGraphiQL({
    title: 'execstream',
    defaultQuery: EXAMPLE,
    subscriptionsProtocol: 'SSE',
  }).trimStart();
  return page;
}
