// Apollo Client: subscriptions continue after their last event whenever the connection breaks. Queries and mutations use
// HttpLink.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, Observable } from '@apollo/client';
import { print } from 'graphql';
import { createSubscriptionHandler } from '../../src/client/graphql/apollo.ts';

export function createApolloClient(url: string): ApolloClient {
  const subscriptions = new ApolloLink(createSubscriptionHandler({ url, Observable, print }));
  return new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.from([subscriptions, new HttpLink({ uri: url })]),
  });
}
