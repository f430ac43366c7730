// The subscribe function for Relay with the real runtime, over a scripted server.
import { Environment, Network, Observable, RecordSource, requestSubscription, Store } from 'relay-runtime';
import { describe } from 'vitest';
import { createSubscribeFunction } from '../../../src/client/graphql/relay.ts';
import { relayRequest } from '../../support/relay-request.ts';
import { DOCUMENT, testSubscriptions, VARIABLES } from './scripted-subscriptions.ts';

const REQUEST = relayRequest({ text: DOCUMENT, args: { id: 'execution' }, fields: ['seq'] });

describe('subscriptions of Relay', () => {
  testSubscriptions((options, { next, error, complete }) => {
    const subscribe = createSubscribeFunction({ ...options, Observable });
    const network = Network.create(() => Observable.create(() => {}), subscribe);
    const environment = new Environment({ network, store: new Store(new RecordSource()) });
    const { dispose } = requestSubscription(environment, {
      subscription: REQUEST,
      variables: VARIABLES,
      onNext: next,
      onError: error,
      onCompleted: complete,
    });
    return dispose;
  });
});
