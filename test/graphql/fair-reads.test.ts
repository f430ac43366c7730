// Many queries of one caller on Postgres: other callers, publishing and streams are served in the meantime.
import { expect, test } from 'vitest';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';
import { collect, createApp, EVENT_STREAM } from '../support/app.ts';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import { until } from '../support/wait.ts';

describePostgres('a caller with 100 concurrent queries', () => {
  test('100 queries of one caller delay neither other callers nor publishers nor streams until they are done', async () => {
    await using database = await createDatabase();
    const store = createPrismaStore({ url: database.url });
    await using app = createApp({ store });
    await store.begin({ id: 'w', kind: 'workflow', mode: 'STRUCTURED', tenant: 'acme' });
    for (let i = 0; i < 50; i += 1) {
      await store.begin({ id: `c${i}`, kind: 'task', mode: 'TEXT', tenant: 'acme', parentId: 'w' });
    }
    await store.begin({ id: 'other', kind: 'agent', mode: 'TEXT', tenant: 'globex' });

    const ask = async (query: string, tenant: string) => {
      const init = {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      };
      const response = await app.request('/graphql', init, { id: tenant, tenant });
      return { status: response.status, ...((await response.json()) as { data: object; errors?: object[] }) };
    };
    const tree =
      '{ execution(kind: WORKFLOW, id: "w") { children(first: 30) { edges { node { parent { children(first: 30) { edges { node { id input } } } } } } } } }';
    let answered = 0;
    const attack = Array.from({ length: 100 }, async () => {
      const { errors } = await ask(tree, 'acme');
      answered += 1;
      return errors;
    });
    const bystander = await ask('{ execution(kind: AGENT, id: "other") { id status } }', 'globex');
    expect(bystander).toEqual({ status: 200, data: { execution: { id: 'other', status: 'RUNNING' } } });
    const run = await app.publisher.begin({ id: 'run', kind: 'agent', tenant: 'globex' });
    const globex = { id: 'globex', tenant: 'globex' };
    const stream = collect(
      await app.request('/api/v0/executions/agents/run/stream', { headers: EVENT_STREAM }, globex),
    );
    await run.text('still here\n');
    await until(() => stream.text.includes('still here'), { what: 'the chunk' });
    await run.complete();
    expect((await store.get('run'))?.status).toBe('SUCCESS');
    expect(answered).toBeLessThan(100);
    // All are answered, unless they have waited too long on a busy machine.
    for (const errors of await Promise.all(attack)) expect(errors?.length ?? 0).toBeLessThanOrEqual(1);
    await stream.cancel();
    await store.close();
  }, 60_000);
});
