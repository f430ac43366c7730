// Ours: `execstream start` as it is built, with Redis, Postgres (embedded where there is none), and every feature at its default.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { familyOf } from '../proc.ts';
import { type NodeServer, startNode } from './node.ts';
import type { Place, ServerKind, ServerUnderTest } from './server.ts';

/** The selection that all GraphQL servers are asked for. */
export const SUBSCRIPTION =
  'subscription { agentStream(id: "{id}") { id seq type ... on LlmChunk { content } } }';

const cursor = { 'Last-Event-ID': '{cursor}' };

export const EXECSTREAM: ServerKind = {
  name: 'execstream',
  is: 'execstream, by GraphQL and by REST',
  start: (place) => start(place, ['start'], /"msg":"ready"/),
};

/** The same with two processes on one port. */
export const TWO_WORKERS: ServerKind = {
  name: 'execstream',
  is: 'execstream with two workers',
  start: async (place) => {
    const server = await start(place, ['start', '--workers', '2'], /"msg":"all workers are ready"/);
    const pids = familyOf(server.pids[0]!);
    // What one of them does, the other does too.
    return { ...server, pids, look: (words) => server.look(words, pids[1]) };
  },
};

async function start(
  place: Place,
  args: readonly string[],
  ready: RegExp,
): Promise<ServerUnderTest & Pick<NodeServer, 'look'>> {
  const program = join(place.dist, 'cli/main.js');
  if (!existsSync(program)) throw new Error(`there is no build in ${place.dist}: run \`npm run build\``);
  const server = await startNode(place, 'execstream', program, ready, {
    args,
    // All viewers are there at once in the largest scenario, beside those that have just gone.
    env: { DATA_DIR: 'data', DATABASE_URL: place.databaseUrl ?? '', MAX_STREAMS: '20000' },
  });
  const { port } = server;
  return {
    ...server,
    feed: { kind: 'append', redisUrl: place.redisUrl, url: `http://127.0.0.1:${port}` },
    requests: {
      execstream: {
        method: 'POST',
        path: '/graphql',
        headers: cursor,
        body: JSON.stringify({ query: SUBSCRIPTION }),
      },
      'execstream-rest': {
        method: 'GET',
        path: '/api/v0/executions/agents/{id}/stream',
        headers: cursor,
      },
    },
  };
}
