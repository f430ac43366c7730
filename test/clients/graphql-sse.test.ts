// The graphql-sse client of examples/clients in single connection mode retries a connection that breaks while it awaits no
// result.
import { createClient } from 'graphql-sse';
import { expect, test } from 'vitest';
import { networkErrors, subscribe } from '../../examples/clients/graphql-sse-single-connection.ts';
import { type ListeningApp, startApp } from '../support/app.ts';
import { until } from '../support/wait.ts';
import { DOCUMENT, seenOfResult } from './graphql-sse-clients.ts';

/** A `fetch` that returns the response to the first operation only after the event stream has been rotated. */
function rotatingFetch(app: ListeningApp): typeof fetch {
  let isFirst = true;
  let isBroken = false;
  return async (input, init) => {
    const response = await fetch(input, init);
    if (init?.method === 'GET') {
      const [body, copy] = response.body!.tee();
      void copy.pipeTo(new WritableStream()).catch(() => {
        isBroken = true;
      });
      return new Response(body, response);
    }
    if (init?.method !== 'POST' || !isFirst) return response;
    isFirst = false;
    await until(() => app.services.streams.size > 0);
    app.services.streams.rotateAll();
    await until(() => isBroken);
    return response;
  };
}

async function watchThrough(fetchFn: (app: ListeningApp) => typeof fetch): Promise<string[]> {
  await using app = await startApp();
  const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
  await run.text('one');
  await run.complete();
  const client = createClient({
    url: `${app.url}/graphql/stream`,
    singleConnection: true,
    fetchFn: fetchFn(app),
    retry: async () => {},
  });
  const seen: string[] = [];
  await new Promise<void>((complete, error) => {
    const next = (result: object) => void seen.push(seenOfResult(result).type);
    subscribe(client, { query: DOCUMENT, variables: { id: 'a1' } }, { next, complete, error });
  });
  return seen;
}

test('a connection that breaks while the operation is sent is reported as an error without networkErrors', async () => {
  await expect(watchThrough(rotatingFetch)).rejects.toThrow('terminated');
});

test('a connection that breaks while the operation is sent is retried with networkErrors', async () => {
  const seen = await watchThrough((app) => networkErrors(rotatingFetch(app)));
  expect(seen).toEqual(['agent_start', 'llm_chunk', 'complete']);
});
