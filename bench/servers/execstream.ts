// Our server: the built `execstream start` with Redis, Postgres (embedded if there is none), and default settings.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { familyOf } from '../proc.ts';
import { type NodeServer, startNode } from './node.ts';
import type { Place, ServerKind, ServerUnderTest } from './server.ts';

/** The selection that all GraphQL servers receive. */
export const SUBSCRIPTION =
  'subscription { agentStream(id: "{id}") { id seq type ... on LlmChunkEvent { content } } }';

const cursor = { 'Last-Event-ID': '{cursor}' };

export const EXECSTREAM: ServerKind = {
  name: 'execstream',
  description: 'execstream, by GraphQL and by REST',
  start: (place) => start(place, ['start'], /"msg":"ready"/),
};

/** Our server with two processes on one port. */
export const TWO_WORKERS: ServerKind = {
  name: 'execstream',
  description: 'execstream with two workers',
  start: async (place) => {
    const server = await start(place, ['start', '--workers', '2'], /"msg":"all workers are ready"/);
    const pids = familyOf(server.pids[0]!);
    // Both processes do the same work, so that either can be profiled.
    return { ...server, pids, control: (command) => server.control(command, pids[1]) };
  },
};

async function start(
  place: Place,
  args: readonly string[],
  ready: RegExp,
): Promise<ServerUnderTest & Pick<NodeServer, 'control'>> {
  const program = join(place.dist, 'cli/main.js');
  if (!existsSync(program)) throw new Error(`no build in ${place.dist}: run \`npm run build\``);
  const server = await startNode(place, 'execstream', program, ready, {
    args,
    // The largest scenario needs more streams than the default, also because those of the previous one may still be
    // closing.
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
