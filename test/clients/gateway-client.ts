// A gateway with this server as its subgraph: its viewers subscribe through graphql-sse.
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import { createClient } from 'graphql-sse';
import { subscribe } from '../../examples/clients/graphql-sse.ts';
import { type Client, TERMINAL, type Watched } from './clients.ts';
import { DOCUMENT, untilEnd } from './graphql-sse-clients.ts';

async function watchThrough(watched: Watched): Promise<void> {
  await using gateway = createGatewayRuntime({
    proxy: { endpoint: `${watched.url}/graphql` },
    logging: false,
  });
  const fetchFn = (url: string, init: RequestInit) => gateway.fetch(url, init);
  const client = createClient({ url: 'http://gateway/graphql', fetchFn, retryAttempts: 0 });
  await untilEnd(watched, (sink) =>
    client.subscribe({ query: DOCUMENT, variables: { id: watched.id } }, sink),
  );
}

export const GATEWAY: readonly Client[] = [
  { name: 'Hive Gateway', reconnecting: 'error', watch: watchThrough },
];
void subscribe;
void TERMINAL;
