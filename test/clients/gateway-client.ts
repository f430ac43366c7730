// Hive Gateway with this server as its subgraph: its viewers subscribe through graphql-sse, as documented and with the
// code of examples/clients.
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import { createClient, type Client as SseClient } from 'graphql-sse';
import { subscribeThroughGateway } from '../../examples/clients/gateway.ts';
import type { Client, Watched } from './clients.ts';
import { DOCUMENT, untilEnd } from './graphql-sse-clients.ts';

type Subscribe = (client: SseClient, ...args: Parameters<SseClient['subscribe']>) => () => void;

async function watchThrough(watched: Watched, subscribe: Subscribe): Promise<void> {
  await using gateway = createGatewayRuntime({
    proxy: { endpoint: `${watched.url}/graphql` },
    logging: false,
  });
  const fetchFn = (url: string, init: RequestInit) => gateway.fetch(url, init);
  const client = createClient({ url: 'http://gateway/graphql', fetchFn, retryAttempts: 0 });
  const request = { query: DOCUMENT, variables: { id: watched.id } };
  await untilEnd(watched, (sink) => subscribe(client, request, sink));
}

export const GATEWAY: readonly Client[] = [
  {
    name: 'Hive Gateway',
    reconnecting: 'error',
    watch: (watched) => watchThrough(watched, (client, ...args) => client.subscribe(...args)),
  },
  {
    name: 'Hive Gateway, resuming',
    reconnecting: 'resumes',
    watch: (watched) => watchThrough(watched, subscribeThroughGateway as Subscribe),
  },
];
