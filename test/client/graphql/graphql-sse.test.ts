// `resumable` with graphql-sse's client, over a scripted server.
import { createClient } from 'graphql-sse';
import { describe, expect, test } from 'vitest';
import { resumable } from '../../../src/client/graphql/graphql-sse.ts';
import { until } from '../../support/wait.ts';
import { COMPLETE, EPOCH, OPENING, scriptedFetch, stream } from '../scripted-fetch.ts';
import { resultMessage } from './results.ts';
import { DOCUMENT, result, testSubscriptions, VARIABLES } from './scripted-subscriptions.ts';

const REQUEST = { operationName: 'Watch', query: DOCUMENT, variables: VARIABLES };

/** For queries and mutations. */
const usual = (fetchFn: unknown) => createClient({ url: '/usual', fetchFn, retryAttempts: 0 });

describe('subscriptions of a resumable client of graphql-sse', () => {
  testSubscriptions((options, { next, ...subscriber }) =>
    resumable(usual(undefined), options).subscribe(REQUEST, {
      next: ({ data }) => next(data),
      ...subscriber,
    }),
  );

  test('can be iterated', async () => {
    const broken = stream(OPENING.replace('1', '0'), result(1)).breaks();
    const { fetch } = scriptedFetch(broken, stream(result(2), COMPLETE).ends());
    const client = resumable(usual(fetch), { url: '/graphql', fetch, backoff: { firstMs: 0, maxMs: 0 } });
    const seqs: number[] = [];
    for await (const { data } of client.iterate<{ agentStream: { seq: number } }>(REQUEST))
      seqs.push(data!.agentStream.seq);
    expect(seqs).toEqual([1, 2]);
  });

  test('begin after `after`, which later requests repeat beside the cursor', async () => {
    const { fetch, requests } = scriptedFetch(stream(result(8)).breaks(), stream(COMPLETE).ends());
    const client = resumable(usual(fetch), { url: '/graphql', fetch, backoff: { firstMs: 0, maxMs: 0 } });
    const variables = { ...VARIABLES, after: `7-${EPOCH}` };
    for await (const _ of client.iterate({ ...REQUEST, variables }));
    expect(requests.map(({ body }) => JSON.parse(body!).variables)).toEqual([variables, variables]);
    expect(requests.map(({ headers }) => headers.get('last-event-id'))).toEqual([null, `8-${EPOCH}`]);
  });
});

describe('a resumable client of graphql-sse', () => {
  test.each(['query Q { a }', 'mutation M { a }', '{ a }'])('passes `%s` to the client', async (query) => {
    const message = resultMessage(undefined, { data: { a: 1 } });
    const { fetch, requests } = scriptedFetch(stream(message, COMPLETE).ends());
    const client = resumable(usual(fetch), { url: '/graphql', fetch: () => Promise.reject() });
    const results: unknown[] = [];
    await new Promise<void>((complete, error) =>
      client.subscribe({ query }, { next: (each) => void results.push(each), complete, error }),
    );
    expect(results).toEqual([{ data: { a: 1 } }]);
    expect(requests.map(({ url }) => url.pathname)).toEqual(['/usual']);
  });

  test('ends all operations when it is disposed of', async () => {
    const { fetch, requests } = scriptedFetch(({ url }) =>
      stream(url.pathname === '/usual' ? resultMessage(undefined, { data: {} }) : result(1)).stays(),
    );
    const client = resumable(usual(fetch), { url: '/graphql', fetch });
    const calls: string[] = [];
    const sink = {
      next: () => void calls.push('next'),
      error: () => void calls.push('error'),
      complete: () => void calls.push('complete'),
    };
    client.subscribe(REQUEST, sink);
    client.subscribe({ query: '{ a }' }, sink);
    await until(() => calls.length === 2);
    client.dispose();
    await until(() => calls.length === 4);
    expect(calls).toEqual(['next', 'next', 'complete', 'complete']);
    expect(requests.every(({ signal }) => signal.aborted)).toBe(true);
  });
});
