// The handler for Apollo Client's links with the real client, over a scripted server.
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache, Observable } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { print } from 'graphql';
import { describe, expect, test } from 'vitest';
import { createSubscriptionHandler } from '../../../src/client/graphql/apollo.ts';
import type { SubscriptionOptions } from '../../../src/client/graphql/subscriptions.ts';
import { COMPLETE, scriptedFetch, stream } from '../scripted-fetch.ts';
import { DOCUMENT, result, testSubscriptions, VARIABLES } from './scripted-subscriptions.ts';

const linkOf = (options: SubscriptionOptions) =>
  new ApolloLink(createSubscriptionHandler({ ...options, Observable, print }));
const clientOf = (link: ApolloLink) => new ApolloClient({ cache: new InMemoryCache(), link });
const WATCH = { query: gql(DOCUMENT), variables: VARIABLES, fetchPolicy: 'no-cache' } as const;

/** Until its end. */
function dataOf(client: ApolloClient): Promise<unknown[]> {
  const results: unknown[] = [];
  return new Promise((resolve, reject) =>
    client.subscribe(WATCH).subscribe({
      next: ({ data, error }) => (error ? reject(error) : results.push(data)),
      error: reject,
      complete: () => resolve(results),
    }),
  );
}

describe('subscriptions of Apollo Client', () => {
  testSubscriptions((options, { next, error, complete }) => {
    const subscription = clientOf(linkOf(options))
      .subscribe(WATCH)
      .subscribe({
        next: ({ data, error: failure }) => (failure ? error(failure) : next(data)),
        error,
        complete,
      });
    return () => subscription.unsubscribe();
  });

  test('have the headers of the context, which a link sets', async () => {
    const { fetch, requests } = scriptedFetch(stream(result(1), COMPLETE).ends());
    const context = new SetContextLink(() => ({ headers: { 'X-Tenant': 'acme' } }));
    const link = ApolloLink.from([context, linkOf({ url: '/graphql', fetch })]);
    expect(await dataOf(clientOf(link))).toHaveLength(1);
    expect(requests[0]!.headers.get('x-tenant')).toBe('acme');
  });
});

describe('queries and mutations of Apollo Client', () => {
  const http = () => scriptedFetch(Response.json({ data: { a: 1 } }));

  test.each(['from', 'split'] as const)('pass to HttpLink with ApolloLink.%s', async (composition) => {
    const { fetch, requests } = http();
    const sse = scriptedFetch(stream(result(1), COMPLETE).ends());
    const subscriptions = linkOf({ url: '/graphql', fetch: sse.fetch });
    const httpLink = new HttpLink({ uri: '/usual', fetch });
    const link =
      composition === 'from'
        ? ApolloLink.from([subscriptions, httpLink])
        : ApolloLink.split(({ operationType }) => operationType === 'subscription', subscriptions, httpLink);
    const client = clientOf(link);
    expect(await client.query({ query: gql('{ a }') })).toMatchObject({ data: { a: 1 } });
    expect(await dataOf(client)).toHaveLength(1);
    expect(requests.map(({ url }) => url.pathname)).toEqual(['/usual']);
    expect(sse.requests.map(({ url }) => url.pathname)).toEqual(['/graphql']);
  });

  test('that are mutations are not repeated', async () => {
    const { fetch, requests } = scriptedFetch(new TypeError('offline'));
    const link = ApolloLink.from([
      linkOf({ url: '/graphql', fetch }),
      new HttpLink({ uri: '/usual', fetch }),
    ]);
    await expect(clientOf(link).mutate({ mutation: gql('mutation { a }') })).rejects.toThrow('offline');
    expect(requests).toHaveLength(1);
  });
});
