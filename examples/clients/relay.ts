// Relay: subscriptions that continue after their last event whenever the connection breaks, over graphql-sse or over
// Apollo's multipart protocol.
import { createFetchMultipartSubscription } from '@apollo/client/utilities/subscriptions/relay';
import {
  type GraphQLResponse,
  type GraphQLResponseWithData,
  Observable,
  type SubscribeFunction,
} from 'relay-runtime';
import { createDistinctClient, subscribe } from './graphql-sse.ts';

/** Over graphql-sse. */
export function createSseSubscribe(url: string): SubscribeFunction {
  const client = createDistinctClient(url);
  return ({ name, text }, variables) =>
    Observable.create((sink) =>
      subscribe(
        client,
        { operationName: name, query: text ?? '', variables },
        { ...sink, next: (result) => sink.next(result as GraphQLResponse) },
      ),
    );
}

/** Over HTTP as `multipart/mixed`. */
export function createMultipartSubscribe(url: string): SubscribeFunction {
  const subscribeOnce = createFetchMultipartSubscription(`${url}/graphql`);
  return (operation, variables) =>
    Observable.create((sink) => {
      let cursor = variables.after;
      let timer: NodeJS.Timeout | undefined;
      let subscription: { unsubscribe(): void } | undefined;
      const open = () => {
        subscription = subscribeOnce(operation, { ...variables, after: cursor }).subscribe({
          ...sink,
          next: (response) => {
            const { data } = response as GraphQLResponseWithData;
            cursor = Object.values(data ?? {})[0]?.id ?? cursor;
            sink.next(response);
          },
          error: () => {
            timer = setTimeout(open, 500 + Math.random() * 500);
          },
        });
      };
      open();
      return () => {
        clearTimeout(timer);
        subscription?.unsubscribe();
      };
    });
}
