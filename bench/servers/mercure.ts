// Mercure's hub, in its program without Caddy. The open one has no transport between hubs: it is fed by its own
// endpoint for publishers, which it has to pay for beside its viewers, and keeps nothing (`local`).
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
  is: 'Mercure without Caddy, published to at the hub itself: it has no Redis transport',
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
      // JSON is YAML.
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

/** A JWT that allows to publish to all topics. */
function publisherToken(key: string): string {
  const parts = [{ alg: 'HS256', typ: 'JWT' }, { mercure: { publish: ['*'] } }];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}
