// Hono on Node: execstream below a path. On other runtimes, the route is `(context) => execstream.fetch(context.req.raw)`.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type HttpBindings, serve } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import type { Execstream } from '../../src/index.ts';

/** Starts the application; port 0 selects a free one. */
export async function start(execstream: Execstream, port = 0) {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.get('/', (context) => context.text('the application'));
  // Hono's `mount` would remove the path, which execstream expects.
  app.all('/streams/*', ({ env }) => {
    execstream.node(env.incoming, env.outgoing);
    return RESPONSE_ALREADY_SENT;
  });
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
