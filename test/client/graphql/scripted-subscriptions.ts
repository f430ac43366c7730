// What the tests of the four helpers have in common: each of them subscribes with the real client, over a scripted server.
import { expect, test } from 'vitest';
import type { SubscriptionOptions } from '../../../src/client/graphql/subscriptions.ts';
import { until } from '../../support/wait.ts';
import {
  COMPLETE,
  EPOCH,
  each,
  errorMessage,
  OPENING,
  type Reply,
  type ScriptedServer,
  scriptedFetch,
  stream,
} from '../scripted-fetch.ts';
import { resultMessage } from './results.ts';

export interface Subscriber {
  next(data: unknown): void;
  error(error: unknown): void;
  complete(): void;
}

/** Subscribes to `DOCUMENT` with `VARIABLES` through a client. Returns a function that unsubscribes. */
export type SubscribeWith = (options: SubscriptionOptions, subscriber: Subscriber) => () => void;

export const DOCUMENT = `subscription Watch($execution: ID!) {
  agentStream(id: $execution) {
    __typename
    seq
  }
}`;
export const VARIABLES = { execution: 'a1' };

const dataOf = (seq: number) => ({ agentStream: { __typename: 'LlmChunkEvent', seq } });
export const result = (seq: number): string => resultMessage(`${seq}-${EPOCH}`, { data: dataOf(seq) });

interface Subscribed extends ScriptedServer {
  readonly results: unknown[];
  readonly ends: unknown[];
  readonly unsubscribe: () => void;
}

function subscribed(subscribe: SubscribeWith, ...replies: Reply[]): Subscribed {
  const server = scriptedFetch(...replies);
  const results: unknown[] = [];
  const ends: unknown[] = [];
  const options = { url: '/graphql', fetch: server.fetch, backoff: { firstMs: 0, maxMs: 0 } };
  const unsubscribe = subscribe(options, {
    next: (data) => void results.push(data),
    error: (error) => void ends.push(error),
    complete: () => void ends.push('complete'),
  });
  return { ...server, results, ends, unsubscribe };
}

/** Tests what a user of any client may rely on. */
export function testSubscriptions(subscribe: SubscribeWith): void {
  test('a connection that breaks is not visible, and the next one begins after the last result', async () => {
    const variables = structuredClone(VARIABLES);
    const { requests, results, ends } = subscribed(
      subscribe,
      stream(OPENING.replace('1', '0'), result(1), result(2)).breaks(),
      stream(result(3), COMPLETE).ends(),
    );
    await until(() => ends.length > 0);
    expect(results).toEqual([1, 2, 3].map(dataOf));
    expect(ends).toEqual(['complete']);
    expect(requests.map(({ headers }) => headers.get('last-event-id'))).toEqual([null, `2-${EPOCH}`]);
    const [first, second] = requests.map(({ body }) => JSON.parse(body!));
    expect(first).toMatchObject({ operationName: 'Watch', variables: VARIABLES });
    expect(first.query.replaceAll(/\s+/g, ' ')).toBe(DOCUMENT.replaceAll(/\s+/g, ' '));
    expect(second).toEqual(first);
    expect(VARIABLES).toEqual(variables);
  });

  test.each([
    ['by its status', new Response(null, { status: 403 }), 'FORBIDDEN'],
    ['in the stream', stream(errorMessage('NOT_FOUND')).ends(), 'NOT_FOUND'],
  ])(
    'a subscription that is rejected permanently %s ends with an error that has a code',
    async (_, reply, code) => {
      const { requests, results, ends } = subscribed(subscribe, reply);
      await until(() => ends.length > 0);
      expect(ends[0]).toMatchObject({ name: 'ExecstreamError', code });
      expect(results).toEqual([]);
      expect(requests).toHaveLength(1);
    },
  );

  test('unsubscribing closes the connection, and delivers nothing more', async () => {
    const { requests, results, unsubscribe } = subscribed(
      subscribe,
      each(() => stream(result(1)).stays()),
    );
    await until(() => results.length > 0);
    unsubscribe();
    await until(() => requests[0]!.signal.aborted);
    expect(results).toHaveLength(1);
    expect(requests).toHaveLength(1);
  });

  test('several subscriptions have a connection each, and end independently of one another', async () => {
    const server = scriptedFetch(({ headers }) =>
      headers.has('last-event-id') ? stream(result(2), COMPLETE).ends() : stream(result(1)).breaks(),
    );
    const options = { url: '/graphql', fetch: server.fetch, backoff: { firstMs: 0, maxMs: 0 } };
    const all = Array.from({ length: 5 }, () => {
      const results: unknown[] = [];
      const ended = new Promise<void>((complete, error) =>
        subscribe(options, { next: (data) => void results.push(data), complete, error }),
      );
      return { results, ended };
    });
    await Promise.all(all.map(({ ended }) => ended));
    for (const { results } of all) expect(results).toEqual([1, 2].map(dataOf));
    expect(server.requests).toHaveLength(10);
  });
}
