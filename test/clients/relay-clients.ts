// Relay with graphql-sse and with multipart subscriptions, as documented, and with the helper of this package.
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
import { createNetwork } from '../../examples/clients/relay.ts';
import { relayRequest } from '../support/relay-request.ts';
import type { Client, Watched } from './clients.ts';
import { DOCUMENT, DOCUMENT_WITHOUT_CURSOR, seenOf, type WatchData } from './graphql-sse-clients.ts';

type RelayNetwork = ReturnType<typeof Network.create>;

const requestOf = (document: string, args: Readonly<Record<string, string>>): ConcreteRequest =>
  relayRequest({
    text: document.replace('{ id type', '{ __typename id type'),
    args,
    fields: ['id', 'type', 'data'],
    chunkFields: ['content'],
  });

const REQUEST = requestOf(DOCUMENT, { after: 'after', id: 'id' });
const REQUEST_WITHOUT_CURSOR = requestOf(DOCUMENT_WITHOUT_CURSOR, { id: 'id' });

function watchWith(
  network: RelayNetwork,
  { id, note, signal }: Watched,
  subscription = REQUEST,
): Promise<void> {
  const environment = new Environment({ network, store: new Store(new RecordSource()) });
  return new Promise((resolve, reject) => {
    const { dispose } = requestSubscription(environment, {
      subscription,
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

const networkWith = (subscribe: SubscribeFunction) =>
  Network.create(() => Observable.create(() => {}), subscribe);

export const RELAY: readonly Client[] = [
  {
    name: 'Relay, graphql-sse',
    reconnecting: 'replays',
    watch: (watched) => watchWith(networkWith(bareSubscribe(watched.url)), watched),
  },
  {
    name: 'Relay, multipart',
    reconnecting: 'error',
    watch: (watched) => {
      const subscribe = createFetchMultipartSubscription(`${watched.url}/graphql`) as SubscribeFunction;
      return watchWith(networkWith(subscribe), watched);
    },
  },
  {
    name: 'Relay, execstream/client/relay',
    reconnecting: 'resumes',
    watch: (watched) => watchWith(createNetwork(`${watched.url}/graphql`), watched, REQUEST_WITHOUT_CURSOR),
  },
];
