// Relay: subscriptions continue after their last event whenever the connection breaks.
import { type FetchFunction, Network, Observable } from 'relay-runtime';
import { createSubscribeFunction } from '../../src/client/graphql/relay.ts';

export function createNetwork(url: string) {
  const fetchQuery: FetchFunction = async ({ name, text }, variables) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ operationName: name, query: text, variables }),
    });
    return response.json();
  };
  return Network.create(fetchQuery, createSubscribeFunction({ url, Observable }));
}
