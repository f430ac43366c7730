// urql: subscriptions continue after their last event whenever the connection breaks. Queries and mutations use fetch.
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { createForwardSubscription } from '../../src/client/graphql/urql.ts';

export function createUrqlClient(url: string): Client {
  return new Client({
    url,
    preferGetMethod: false,
    exchanges: [
      fetchExchange,
      subscriptionExchange({ forwardSubscription: createForwardSubscription({ url }) }),
    ],
  });
}
