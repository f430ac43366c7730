// Stream tokens in URLs do not appear in logs or responses.
import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { createMemoryLog } from '../../src/log/memory.ts';
import { takeAccessTokens } from '../../src/server/auth/access-token.ts';
import { createExecstream } from '../../src/server/create-execstream.ts';
import { listen } from '../../src/server/node-server.ts';
import { directLog, graphqlPath } from '../support/app.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { openSse } from '../support/sse.ts';
import { bearer, SHARED_KEY, tokenOf } from './guarded.ts';

test('neither logs, terminal nor responses contain a stream token, on any path and with any failure', async () => {
  const lines: string[] = [];
  const pipe = new PassThrough();
  pipe.on('data', (piece) => lines.push(String(piece)));
  const written = (text: unknown) => {
    lines.push(String(text));
    return true;
  };
  const spies = [process.stdout, process.stderr].map((out) =>
    vi.spyOn(out, 'write').mockImplementation(written),
  );
  const logger = pino({ level: 'trace' }, pipe);
  const [log, store] = [createMemoryLog(), createMemoryStore()];
  const services = createExecstream({
    ...{ log, store, logger, auth: { key: { shared: SHARED_KEY } } },
    settings: { retryMs: 100, heartbeatMs: 15_000, lifetimeMs: 600_000 },
    authorize: (_, { id }) => {
      if (id === 'breaks') throw new Error('the policy broke');
      return { read: 'granted' };
    },
  });
  const server = await listen(services, { host: '127.0.0.1', port: 0 });
  const responses: string[] = [];
  try {
    await directLog({ log, store });
    await store.begin({ id: 'breaks', kind: 'agent', mode: 'TEXT' });
    const jwt = await tokenOf();
    const minted = await fetch(`${server.url}/api/v0/stream-tokens`, {
      method: 'POST',
      headers: bearer(jwt),
      body: '{"executions":["a1"]}',
    });
    const { token } = (await minted.json()) as { token: string };

    const breaking = await services.streamTokens.mint({ id: 'ann' }, ['breaks']);
    const secrets = [token, breaking.token, jwt];
    const subscription = graphqlPath('subscription { agentStream(id: "a1") { id } }');
    const paths = [
      '/api/v0/executions/agents/a1/stream?',
      '/api/v0/executions/agents/a1/stream?poll_ms=1&',
      '/api/v0/executions/agents/a1/stream?last_event_id=x&',
      '/api/v0/executions/agents/%zz/stream?',
      '/api/v0/executions/agents/breaks/stream?',
      `${subscription}&`,
      `${graphqlPath('{ nonsense')}&`,
      `${graphqlPath('query($id: ID!) { execution(kind: AGENT, id: $id) { id } }')}&variables={&`,
      `${graphqlPath('{ execution(kind: AGENT, id: "breaks") { id } }')}&`,
      '/nope?',
      '/graphql/stream?',
      '/?',
    ];
    for (const path of paths) {
      for (const secret of secrets) {
        for (const name of ['access_token', '%61ccess_token', 'x=1&access_token']) {
          using stream = await openSse(`${server.url}${path}${name}=${secret}`, {});
          responses.push(JSON.stringify(stream.headers), stream.text);
        }
      }
    }
    const broken = await fetch(
      `${server.url}${graphqlPath('{ execution(kind: AGENT, id: "breaks") { id } }')}&access_token=${breaking.token}`,
    );
    responses.push(await broken.text());
    store.isAway = true;
    const unavailable = await fetch(`${server.url}/api/v0/executions/agents/a1/stream?access_token=${token}`);
    expect(unavailable.status).toBe(503);
    responses.push(await unavailable.text());

    const all = [...lines, ...responses].join('\n');
    for (const secret of secrets) expect(all).not.toContain(secret);
    // The check above is not vacuous: there were log lines and responses.
    expect(lines.join('')).toContain('the policy broke');
    expect(responses.join('')).toContain('retry:');
  } finally {
    for (const spy of spies) spy.mockRestore();
    await server.close();
    await log.close();
    await store.close();
  }
}, 30_000);

test.each([
  ['/p', [], '/p'],
  ['/p?a=1', [], '/p?a=1'],
  ['/p?access_token=t', ['t'], '/p'],
  ['/p?a=%20+b&access_token=t&c', ['t'], '/p?a=%20+b&c'],
  ['/p?%61ccess%5Ftoken=t%2D1&access_token=u', ['t-1', 'u'], '/p'],
  ['/p?access_token=t&access_token=t', ['t'], '/p'],
  ['/p?access_token=', [], '/p'],
  ['/p?xaccess_token=t', [], '/p?xaccess_token=t'],
])('%s: the tokens are %j, and %s remains', (url, tokens, left) => {
  const request = { url };
  expect(takeAccessTokens(request)).toEqual(tokens);
  expect(request.url).toBe(left);
});
