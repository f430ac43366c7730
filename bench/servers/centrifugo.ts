// Centrifugo over Redis, as its documentation describes: events published at one node reach the viewers of another
// through Redis. Only the node with the viewers is measured; the other one acts as the publisher.
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../scripts/server-process.ts';
import { buildGo, startGo } from './go.ts';
import type { Place, ServerKind } from './server.ts';

const NAME = 'centrifugo';
const CONNECT = `${encodeURIComponent('{"subs":{"')}{id}${encodeURIComponent('":{}}}')}`;

export const CENTRIFUGO: ServerKind = {
  name: NAME,
  description: 'Centrifugo 5 by unidirectional SSE, through its Redis engine',
  missing: () => buildGo(NAME, 'github.com/centrifugal/centrifugo/v5'),
  start: async (place) => {
    const apiKey = randomUUID();
    const [viewers, publisher] = await Promise.all([
      startNode(place, 'server', apiKey),
      startNode(place, 'generator', apiKey),
    ]);
    return {
      port: viewers.port,
      pids: [viewers.pid],
      feed: {
        kind: 'post',
        port: publisher.port,
        path: '/api/publish',
        headers: { 'Content-Type': 'application/json', 'X-API-Key': apiKey },
        body: '{"channel":"{id}","data":{event}}',
      },
      requests: {
        [NAME]: { method: 'GET', path: `/connection/uni_sse?cf_connect=${CONNECT}`, headers: {} },
      },
      hasEnded: () => viewers.hasEnded() || publisher.hasEnded(),
      stop: async () => void (await Promise.all([viewers.stop(), publisher.stop()])),
    };
  },
};

async function startNode(place: Place, role: 'server' | 'generator', apiKey: string) {
  const port = await freePort();
  const config = {
    address: '127.0.0.1',
    port: `${port}`,
    engine: 'redis',
    redis_address: place.redisUrl,
    api_key: apiKey,
    health: true,
    uni_sse: true,
    // Viewers have no token, and choose their subscriptions.
    allow_anonymous_connect_without_token: true,
    allow_subscribe_for_client: true,
    allow_subscribe_for_anonymous: true,
    // Off, because it sends statistics to its vendor.
    usage_stats_disable: true,
  };
  const node = await startGo(place, role, NAME, {
    args: ['--config', 'config.json'],
    prepare: (folder) => writeFileSync(join(folder, 'config.json'), JSON.stringify(config, null, 2)),
    ready: /serving .* endpoints/,
    healthUrl: `http://127.0.0.1:${port}/health`,
  });
  return { ...node, port };
}
