// urql's queries and mutations in Node, which accept JSON and event streams.
import { expect, test } from 'vitest';
import { createUrqlClient } from '../../examples/clients/urql.ts';
import { startApp } from '../support/app.ts';
import { createFetchUrqlClient } from './urql-clients.ts';

test.each([
  ['fetchSubscriptions', createFetchUrqlClient],
  ['execstream/client/urql', createUrqlClient],
])(
  'urql with %s gets JSON for a query and a mutation, and no promise rejects unhandled',
  async (_, create) => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => void unhandled.push(reason);
    process.on('unhandledRejection', onUnhandled);
    try {
      await using app = await startApp();
      await app.publisher.begin({ id: 'a1', kind: 'agent' });
      const client = create(`${app.url}/graphql`);
      const types: (string | null)[] = [];
      const context = {
        fetch: async (...request: Parameters<typeof fetch>) => {
          const response = await fetch(...request);
          types.push(response.headers.get('content-type'));
          return response;
        },
      };
      const query = '{ execution(kind: AGENT, id: "a1") { id status } }';
      expect(await client.query(query, {}, context).toPromise()).toMatchObject({
        data: { execution: { id: 'a1', status: 'RUNNING' } },
        error: undefined,
      });
      const mutation = 'mutation { createStreamToken(executions: ["a1"]) { token } }';
      expect(await client.mutation(mutation, {}, context).toPromise()).toMatchObject({
        data: { createStreamToken: { token: expect.any(String) } },
        error: undefined,
      });
      expect(types).toEqual([expect.stringMatching(/json/), expect.stringMatching(/json/)]);
      // Rejections are reported after the microtasks of their turn.
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off('unhandledRejection', onUnhandled);
    }
    expect(unhandled).toEqual([]);
  },
);
