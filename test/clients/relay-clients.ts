// Relay with graphql-sse and with multipart subscriptions, as documented and with the code of examples/clients.
import { createFetchMultipartSubscription } from '@apollo/client/utilities/subscriptions/relay';
import { createClient } from 'graphql-sse';
import {
  type ConcreteRequest,
  Environment,
  Network,
  Observable,
  RecordSource,
  requestSubscription,
  Store,
  type SubscribeFunction,
} from 'relay-runtime';
import { createMultipartSubscribe, createSseSubscribe } from '../../examples/clients/relay.ts';
import type { Client, Watched } from './clients.ts';
import { DOCUMENT, seenOf, type WatchData } from './graphql-sse-clients.ts';

const scalar = (name: string) =>
  ({ kind: 'ScalarField', alias: null, args: null, name, storageKey: null }) as const;

/** What Relay's compiler would generate for the document. */
const REQUEST = (() => {
  const argumentDefinitions = ['after', 'id'].map((name) => ({
    kind: 'LocalArgument',
    defaultValue: null,
    name,
  }));
  const selections = [
    {
      kind: 'LinkedField',
      alias: null,
      args: ['after', 'id'].map((name) => ({ kind: 'Variable', name, variableName: name })),
      concreteType: null,
      name: 'agentStream',
      plural: false,
      selections: [
        scalar('__typename'),
        scalar('id'),
        scalar('type'),
        scalar('data'),
        {
          kind: 'InlineFragment',
          type: 'LlmChunkEvent',
          abstractKey: null,
          selections: [scalar('content')],
        },
      ],
      storageKey: null,
    },
  ];
  const name = 'Watch';
  const shared = { name, argumentDefinitions, selections };
  return {
    kind: 'Request',
    fragment: { ...shared, kind: 'Fragment', metadata: null, type: 'Subscription', abstractKey: null },
    operation: { ...shared, kind: 'Operation' },
    params: {
      id: null,
      cacheID: name,
      name,
      operationKind: 'subscription',
      text: DOCUMENT.replace('{ id type', '{ __typename id type'),
      metadata: {},
    },
  } as unknown as ConcreteRequest;
})();

function watchWith(subscribe: SubscribeFunction, { id, note, signal }: Watched): Promise<void> {
  const network = Network.create(() => Observable.create(() => {}), subscribe);
  const environment = new Environment({ network, store: new Store(new RecordSource()) });
  return new Promise((resolve, reject) => {
    const { dispose } = requestSubscription(environment, {
      subscription: REQUEST,
      variables: { id },
      onNext: (data) => note(seenOf(data as WatchData)),
      onCompleted: () => resolve(),
      onError: reject,
    });
    signal.addEventListener('abort', dispose);
  });
}

const bareSubscribe = (url: string): SubscribeFunction => {
  const client = createClient({ url: `${url}/graphql` });
  return ({ name, text }, variables) =>
    Observable.create((sink) =>
      client.subscribe({ operationName: name, query: text!, variables }, sink as never),
    );
};

export const RELAY: readonly Client[] = [
  {
    name: 'Relay, graphql-sse',
    reconnecting: 'replays',
    watch: (watched) => watchWith(bareSubscribe(watched.url), watched),
  },
  {
    name: 'Relay, graphql-sse, resuming',
    reconnecting: 'resumes',
    watch: (watched) => watchWith(createSseSubscribe(watched.url), watched),
  },
  {
    name: 'Relay, multipart',
    reconnecting: 'error',
    watch: (watched) =>
      watchWith(createFetchMultipartSubscription(`${watched.url}/graphql`) as SubscribeFunction, watched),
  },
  {
    name: 'Relay, multipart, resuming',
    reconnecting: 'resumes',
    watch: (watched) => watchWith(createMultipartSubscribe(watched.url), watched),
  },
];
