// nchan in Debian's nginx over Redis, as its documentation describes: events published at one nginx reach another
// through Redis. Only the one with the viewers is measured; the other one acts as the publisher.
import { accessSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, startServer } from '../../scripts/server-process.ts';
import { onCore } from '../cores.ts';
import { familyOf } from '../proc.ts';
import type { Place, ServerKind } from './server.ts';

const PROGRAM = '/usr/sbin/nginx';
const START_TIMEOUT_MS = 10_000;
const MODULE = '/usr/lib/nginx/modules/ngx_nchan_module.so';
/** Required in each location. New viewers start with the next event, as with the other peers. */
const REDIS = 'nchan_redis_pass redis; nchan_subscriber_first_message newest;';

export const NCHAN: ServerKind = {
  name: 'nchan',
  description: 'nchan in nginx, through Redis',
  missing: () =>
    [PROGRAM, MODULE].every(exists) ? undefined : 'apt-get install -y nginx-light libnginx-mod-nchan',
  start: async (place) => {
    const [viewers, publisher] = await Promise.all([
      startNginx(
        place,
        'server',
        `location ~ ^/stream/(.+)$ { ${REDIS} nchan_subscriber eventsource; nchan_channel_id $1; }`,
      ),
      startNginx(
        place,
        'generator',
        `location ~ ^/publish/(.+)$ { ${REDIS} nchan_publisher; nchan_channel_id $1; }`,
      ),
    ]);
    await untilResponding(`http://127.0.0.1:${viewers.port}/stream/nobody`);
    return {
      port: viewers.port,
      pids: familyOf(viewers.pid),
      feed: {
        kind: 'post',
        port: publisher.port,
        path: '/publish/{id}',
        headers: { 'Content-Type': 'application/json' },
        body: '{event}',
      },
      requests: { nchan: { method: 'GET', path: '/stream/{id}', headers: {} } },
      stop: async () => void (await Promise.all([viewers.end(), publisher.end()])),
    };
  },
};

async function startNginx(
  { folder: parent, redisUrl }: Place,
  role: 'server' | 'generator',
  location: string,
) {
  const port = await freePort();
  const folder = mkdtempSync(join(parent, `nchan-${role}-`));
  const temporaryPaths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  writeFileSync(
    join(folder, 'nginx.conf'),
    `load_module ${MODULE};
user root;
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${folder}/nginx.pid;
error_log stderr notice;
events { worker_connections 16384; }
http {
  access_log off;
  ${temporaryPaths.join('\n  ')}
  nchan_shared_memory_size 256M;
  upstream redis { nchan_redis_server ${redisUrl}; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    keepalive_requests 1000000000;
    keepalive_timeout 1d;
    ${location}
  }
}
`,
  );
  const [command, ...args] = onCore(role, [PROGRAM, '-p', folder, '-c', join(folder, 'nginx.conf')]);
  const master = await startServer({ command: command!, args, folder, ready: /start worker process \d+/ });
  // The worker process outlives a master that is killed.
  const endGroup = () => {
    try {
      process.kill(-master.pid, 'SIGKILL');
    } catch {
      // It has exited already.
    }
  };
  process.once('exit', endGroup);
  const end = async () => {
    await master.end('SIGTERM');
    process.off('exit', endGroup);
  };
  return { port, pid: master.pid, end };
}

/** Waits until the connection to Redis is open; before that, it rejects viewers. */
async function untilResponding(url: string): Promise<void> {
  const from = performance.now();
  for (;;) {
    const opened = new AbortController();
    const headers = { Accept: 'text/event-stream' };
    const { ok } = await fetch(url, { headers, signal: opened.signal });
    opened.abort();
    if (ok) return;
    if (performance.now() - from > START_TIMEOUT_MS) throw new Error(`${url} does not respond`);
    await sleep(20);
  }
}

function exists(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}
