// The audits of graphql-http: what the GraphQL over HTTP specification requires and recommends of a server.
import { serverAudits } from 'graphql-http';
import { expect, test } from 'vitest';
import { startApp } from '../support/app.ts';

test('the server passes all audits of GraphQL over HTTP, also those that are only recommendations', async () => {
  await using app = await startApp();
  const audits = serverAudits({ url: `${app.url}/graphql`, fetchFn: fetch });
  const failed: string[] = [];
  for (const audit of audits) {
    const result = await audit.fn();
    if (result.status !== 'ok') failed.push(`${audit.id} ${audit.name}: ${result.reason}`);
  }
  expect(failed).toEqual([]);
  expect(audits).toHaveLength(61);
});
