// nchan in Debian's nginx, fed through Redis as its documentation has it: what is published at one nginx is heard by
// another by way of Redis. Only the one with the viewers is measured; the other stands for the publisher.
import { accessSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, startServer } from '../../scripts/server-process.ts';
import { onCore } from '../cores.ts';
import { familyOf } from '../proc.ts';
import type { Place, ServerKind } from './server.ts';

const PROGRAM = '/usr/sbin/nginx';
const ANSWERS_WITHIN_MS = 10_000;
const MODULE = '/usr/lib/nginx/modules/ngx_nchan_module.so';
/** Not inherited from the server's block. New viewers want what comes, as those of the other peers do. */
const REDIS = 'nchan_redis_pass redis; nchan_subscriber_first_message newest;';

export const NCHAN: ServerKind = {
  name: 'nchan',
  is: 'nchan in nginx, through Redis',
  missing: () =>
    [PROGRAM, MODULE].every(isThere) ? undefined : 'apt-get install -y nginx-light libnginx-mod-nchan',
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
    await answers(`http://127.0.0.1:${viewers.port}/stream/nobody`);
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
  const kept = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
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
  ${kept.join('\n  ')}
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
  // Its worker outlives a master that is killed.
  const endGroup = () => {
    try {
      process.kill(-master.pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  };
  process.once('exit', endGroup);
  const end = async () => {
    await master.end('SIGTERM');
    process.off('exit', endGroup);
  };
  return { port, pid: master.pid, end };
}

/** It refuses viewers until it is connected with Redis. */
async function answers(url: string): Promise<void> {
  const from = performance.now();
  for (;;) {
    const opened = new AbortController();
    const headers = { Accept: 'text/event-stream' };
    const { ok } = await fetch(url, { headers, signal: opened.signal });
    opened.abort();
    if (ok) return;
    if (performance.now() - from > ANSWERS_WITHIN_MS) throw new Error(`${url} does not answer`);
    await sleep(20);
  }
}

function isThere(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}
