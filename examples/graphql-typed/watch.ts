// Follows an agent with graphql-sse, with generated types: the text goes to stdout, everything else to stderr.
//
//   node --import tsx examples/graphql-typed/watch.ts ID
import { createClient } from 'graphql-sse';
import { resumable } from '../../src/client/graphql/graphql-sse.ts'; // 'execstream/client/graphql-sse'
import type { WatchAgentSubscription, WatchAgentSubscriptionVariables } from './watch.gen.ts';

const query = /* GraphQL */ `
  subscription WatchAgent($id: ID!) {
    agentStream(id: $id) {
      __typename
      ... on LlmChunkEvent { content }
      ... on ToolCallEvent { toolName status args result error }
      ... on ResetEvent { reason }
      ... on GapEvent { text }
      ... on CompleteEvent { result usage { totalTokens } }
      ... on ErrorEvent { status message }
    }
  }
`;

const [id = ''] = process.argv.slice(2);
const { EXECSTREAM_URL = 'http://localhost:4000' } = process.env;
const url = `${EXECSTREAM_URL}/graphql`;
const client = resumable(createClient({ url }), { url });
const variables: WatchAgentSubscriptionVariables = { id };

let text = '';
try {
  for await (const { data } of client.iterate<WatchAgentSubscription>({ query, variables })) {
    if (data) show(data.agentStream);
  }
} catch (error) {
  console.error(`${error}`);
  process.exitCode = 2;
}

function show(event: WatchAgentSubscription['agentStream']): void {
  switch (event.__typename) {
    case 'LlmChunkEvent':
      text += event.content;
      process.stdout.write(event.content);
      break;
    case 'ToolCallEvent':
      console.error(event.toolName, event.status, JSON.stringify(event.error ?? event.result ?? event.args));
      break;
    case 'ResetEvent':
      restart('', `starting over: ${event.reason}`);
      break;
    case 'GapEvent':
      restart(event.text ?? '', 'events are missing');
      break;
    case 'CompleteEvent':
      if (typeof event.result === 'string' && event.result !== text)
        restart(event.result, 'the complete text');
      console.error(`complete${event.usage ? `, ${event.usage.totalTokens} tokens` : ''}`);
      break;
    case 'ErrorEvent':
      console.error(`${event.status}: ${event.message}`);
      process.exitCode = 1;
      break;
    default:
      console.error(event.__typename);
  }
}

/** Shows a text from its start, because it is not the continuation of the text so far. */
function restart(newText: string, reason: string): void {
  console.error(reason);
  if (text) process.stdout.write('\n');
  process.stdout.write(newText);
  text = newText;
}
