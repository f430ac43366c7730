// Mercure's hub, in its program without Caddy. The open-source hub has no transport between hubs: events are
// published at its own endpoint, which adds to its cost, and it stores nothing (`local`).
import { createHmac, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../scripts/server-process.ts';
import { buildGo, startGo } from './go.ts';
import type { ServerKind } from './server.ts';

const NAME = 'mercure';
const HUB = '/.well-known/mercure';

export const MERCURE: ServerKind = {
  name: NAME,
  description: 'Mercure without Caddy, with events published at the hub itself, which has no Redis transport',
  missing: () => buildGo(NAME, 'github.com/dunglas/mercure/cmd/mercure'),
  start: async (place) => {
    const port = await freePort();
    const key = randomUUID();
    const config = {
      addr: `127.0.0.1:${port}`,
      transport_url: 'local://local',
      jwt_key: key,
      allow_anonymous: true,
    };
    const hub = await startGo(place, 'server', NAME, {
      // JSON is valid YAML.
      prepare: (folder) => writeFileSync(join(folder, 'mercure.yaml'), JSON.stringify(config, null, 2)),
      ready: /Mercure started/,
      healthUrl: `http://127.0.0.1:${port}/healthz`,
    });
    return {
      port,
      pids: [hub.pid],
      feed: {
        kind: 'post',
        port,
        path: HUB,
        headers: {
          'Content-Type': 'application/x-www-form-urlencoded',
          Authorization: `Bearer ${publisherToken(key)}`,
        },
        body: 'topic={id}&data={event}',
      },
      requests: { [NAME]: { method: 'GET', path: `${HUB}?topic={id}`, headers: {} } },
      hasEnded: hub.hasEnded,
      stop: hub.stop,
    };
  },
};

/** A JWT that permits publishing to all topics. */
function publisherToken(key: string): string {
  const parts = [{ alg: 'HS256', typ: 'JWT' }, { mercure: { publish: ['*'] } }];
  const signedPart = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signedPart}.${createHmac('sha256', key).update(signedPart).digest('base64url')}`;
}
