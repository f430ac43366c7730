// The examples that run as their own processes: other runtimes, and frameworks that are installed on demand.
import { describe, expect, test, vi } from 'vitest';
import { range } from '../support/app.ts';
import { openSse } from '../support/sse.ts';
import { describeWebFrameworks, type ExampleName, startExample } from '../support/web-frameworks.ts';

// A runtime compiles our sources, and starts an embedded database.
vi.setConfig({ testTimeout: 180_000 });

const ANN = { 'x-user': 'ann' };
const JSON_TYPE = { 'content-type': 'application/json' };

/** Publishes an execution over HTTP, below the base path. */
function createClient(url: string, id: string) {
  const path = `${url}/streams/api/v0/executions/agents/${id}`;
  let token = '';
  let batches = 0;
  const send = (target: string, method: string, body: object, headers: object = {}) =>
    fetch(target, { method, headers: { ...ANN, ...JSON_TYPE, ...headers }, body: JSON.stringify(body) });
  return {
    path,
    async begin() {
      const response = await send(path, 'PUT', { mode: 'TEXT' });
      expect(response.status).toBe(201);
      ({ token } = (await response.json()) as { token: string });
    },
    async append(...events: object[]) {
      batches += 1;
      const headers = { 'publisher-token': token, 'idempotency-key': String(batches) };
      expect((await send(`${path}/events`, 'POST', { events }, headers)).status).toBe(200);
    },
  };
}

const chunk = (content: string) => ({ type: 'llm_chunk', data: { content } });
const END = { type: 'complete', data: { status: 'SUCCESS' } };

describeWebFrameworks('an example in its own process', () => {
  describe.each<ExampleName>(['nest', 'bun', 'deno', 'next'])('%s', (name) => {
    test('streams and resumes, keeps limits, the base path and authentication, and drains', async () => {
      await using example = await startExample(name);
      const { url } = example;
      const { path, begin, append } = createClient(url, 'a1');
      await begin();

      using first = await openSse(`${path}/stream`, { headers: ANN });
      for (const word of ['one', 'two', 'three']) {
        await append(chunk(word));
        await first.until(() => first.text.includes(`data: ${word}\n`), word);
      }
      using resumed = await openSse(`${path}/stream`, { headers: ANN, lastEventId: first.frames[1]!.id! });
      await append(END);
      expect([await first.ended(), await resumed.ended()]).toEqual(['clean', 'clean']);
      expect(first.frames.map(({ id }) => Number.parseInt(id!, 10))).toEqual(range(1, 5));
      expect(resumed.frames).toEqual(first.frames.slice(2));

      const query = `subscription { agentStream(id: "a1") { seq } }`;
      using graphql = await openSse(`${url}/streams/graphql`, { headers: ANN, body: { query } });
      expect(await graphql.ended()).toBe('clean');
      expect(graphql.frames.at(-1)!.event).toBe('complete');

      const body = Buffer.alloc(50 * 1024 * 1024, ' ');
      const large = await fetch(`${url}/streams/graphql`, {
        method: 'POST',
        headers: { ...ANN, ...JSON_TYPE },
        body,
      });
      expect(large.status).toBe(413);
      expect((await fetch(path)).status).toBe(401);
      expect(await (await fetch(url)).text()).toBe('the application');
      expect((await fetch(`${url}/graphql`)).status).toBe(404);
      expect(await (await fetch(`${url}/streams/`)).text()).toContain('href="/streams/graphql"');

      const open = createClient(url, 'a2');
      await open.begin();
      using rotated = await openSse(`${open.path}/stream`, { headers: ANN });
      await rotated.take(1);
      const exited = example.stop();
      expect(await rotated.ended(20_000)).toBe('aborted');
      // Next reports the signal.
      expect(await exited).toBe(name === 'next' ? 143 : 0);
      // Bun and Deno print every error of a body; a stack would look like a failure of the application.
      const printed = example.output.match(/unfinished/g) ?? [];
      expect(printed).toHaveLength(name === 'bun' || name === 'deno' ? 1 : 0);
      expect(example.output).not.toContain('interrupt');
    });
  });
});
