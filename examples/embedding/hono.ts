// Hono: execstream as a `fetch` handler below a path. The same lines work on every runtime of Hono.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import type { Execstream } from '../../src/index.ts';

/** Starts the application; port 0 selects a free one. */
export async function start(execstream: Execstream, port = 0) {
  const app = new Hono();
  app.get('/', (context) => context.text('the application'));
  // Hono's `mount` would remove the path, which execstream expects.
  app.all('/streams/*', (context) => execstream.fetch(context.req.raw));
  const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' });
  if (!server.listening) await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      await execstream.close();
      if ('closeAllConnections' in server) server.closeAllConnections();
      server.close();
    },
  };
}
