// The forwarder for urql's subscriptionExchange with the real client, over a scripted server.
import { Client, fetchExchange, gql, mapExchange, subscriptionExchange } from '@urql/core';
import { describe, expect, test, vi } from 'vitest';
import type { SubscriptionOptions } from '../../../src/client/graphql/subscriptions.ts';
import { createForwardSubscription } from '../../../src/client/graphql/urql.ts';
import { until } from '../../support/wait.ts';
import { COMPLETE, EPOCH, scriptedFetch, stream } from '../scripted-fetch.ts';
import { resultMessage } from './results.ts';
import { DOCUMENT, result, type Subscriber, testSubscriptions, VARIABLES } from './scripted-subscriptions.ts';

type ClientOptions = ConstructorParameters<typeof Client>[0];

const clientOf = (options: SubscriptionOptions, more: Partial<ClientOptions> = {}) =>
  new Client({
    url: '/usual',
    preferGetMethod: false,
    ...more,
    exchanges: [
      ...(more.exchanges ?? []),
      fetchExchange,
      subscriptionExchange({ forwardSubscription: createForwardSubscription(options) }),
    ],
  });

function subscribe(client: Client, { next, error, complete }: Subscriber): () => void {
  const subscription = client.subscription(gql(DOCUMENT), VARIABLES).subscribe((result) => {
    if (result.error) error(result.error.networkError);
    // The result that reports the end repeats the data of the one before it.
    else if (result.hasNext) next(result.data);
    else complete();
  });
  return () => subscription.unsubscribe();
}

describe('subscriptions of urql', () => {
  testSubscriptions((options, subscriber) => subscribe(clientOf(options), subscriber));

  test.each<[string, ClientOptions['fetchOptions']]>([
    ['an object', { headers: { 'X-Tenant': 'acme' } }],
    ['a function', () => ({ headers: new Headers({ 'X-Tenant': 'acme' }) })],
    ['a list', { headers: [['X-Tenant', 'acme']] }],
  ])('have the headers of `fetchOptions` that are %s', async (_, fetchOptions) => {
    const { fetch, requests } = scriptedFetch(stream(result(1), COMPLETE).ends());
    const client = clientOf({ url: '/graphql', fetch }, { fetchOptions: fetchOptions! });
    const complete = vi.fn();
    subscribe(client, { next: () => {}, error: expect.fail, complete });
    await until(() => complete.mock.calls.length > 0);
    expect(requests[0]!.headers.get('x-tenant')).toBe('acme');
  });

  test('pass through exchanges like other operations, and do not merge results', async () => {
    const sparse = resultMessage(`2-${EPOCH}`, { data: { agentStream: { __typename: 'ResetEvent' } } });
    const { fetch } = scriptedFetch(stream(result(1), sparse, COMPLETE).ends());
    const seen: unknown[] = [];
    const exchange = mapExchange({ onResult: ({ data }) => void seen.push(data) });
    const complete = vi.fn();
    const client = clientOf({ url: '/graphql', fetch }, { exchanges: [exchange] });
    subscribe(client, { next: () => {}, error: expect.fail, complete });
    await until(() => complete.mock.calls.length > 0);
    expect(seen[1]).toEqual({ agentStream: { __typename: 'ResetEvent' } });
  });
});

test('queries and mutations of urql are sent by its own exchange', async () => {
  const { fetch, requests } = scriptedFetch(() => Response.json({ data: { a: 1 } }));
  const never = () => Promise.reject(new Error('not for queries'));
  const client = clientOf({ url: '/graphql', fetch: never }, { fetch });
  expect((await client.query('{ a }', {}).toPromise()).data).toEqual({ a: 1 });
  expect((await client.mutation('mutation { a }', {}).toPromise()).data).toEqual({ a: 1 });
  expect(requests.map(({ url }) => url.pathname)).toEqual(['/usual', '/usual']);
});
