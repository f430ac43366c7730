// The Node peers. Each is a server in bench/peers/<name> that shares no code with ours, and listens to Redis.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RequestSpec } from '../generator/turn.ts';
import { SUBSCRIPTION } from './execstream.ts';
import { startNode } from './node.ts';
import type { ServerKind } from './server.ts';

/** A stream that is opened before the server's connection to Redis never receives anything. */
const CONNECTED_MS = 1_000;

const FOLDER = fileURLToPath(new URL('../peers/', import.meta.url));

const graphql = (path: string): RequestSpec => ({
  method: 'POST',
  path,
  headers: {},
  body: JSON.stringify({ query: SUBSCRIPTION }),
});
const get = (path: string): RequestSpec => ({ method: 'GET', path, headers: {} });

/** Installs the peers' packages, once. */
export function installPeers(): void {
  if (existsSync(`${FOLDER}node_modules/.package-lock.json`)) return;
  const { status, stderr } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: FOLDER,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`could not install the peers (npm ci in bench/peers):\n${stderr}`);
}

function peer(name: string, description: string, request: RequestSpec): ServerKind {
  return {
    name,
    description,
    start: async (place) => {
      const server = await startNode(place, name, `${FOLDER}${name}/server.mjs`, /listening/);
      await sleep(CONNECTED_MS);
      const feed = { kind: 'publish', redisUrl: place.redisUrl } as const;
      return { ...server, feed, requests: { [name]: request } };
    },
  };
}

const TRPC_INPUT = `${encodeURIComponent('{"id":"')}{id}${encodeURIComponent('"}')}`;

export const NODE_PEERS: readonly ServerKind[] = [
  peer('raw-node', 'node:http and ioredis, res.write', get('/stream/{id}')),
  peer('yoga', 'stock graphql-yoga with graphql-redis-subscriptions', graphql('/graphql')),
  peer('graphql-sse', 'graphql-sse on node:http with graphql-redis-subscriptions', graphql('/')),
  peer('better-sse', 'better-sse on node:http with ioredis', get('/stream/{id}')),
  peer('trpc', 'tRPC subscriptions over SSE with ioredis', get(`/trpc/stream?input=${TRPC_INPUT}`)),
];
