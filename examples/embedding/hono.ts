// Hono on Node: execstream below a path, before the routes of the application. On other runtimes it is a route:
// `app.all('/streams/*', (context) => execstream.fetch(context.req.raw))`.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import type { Execstream } from '../../src/index.ts';

/** Starts the application; port 0 selects a free one. */
export async function start(execstream: Execstream, port = 0) {
  const app = new Hono();
  app.get('/', (context) => context.text('the application'));
  const listener = getRequestListener(app.fetch);
  // Requests outside the base path of execstream are Hono's.
  const server = createServer((request, response) => {
    execstream.node(request, response, () => void listener(request, response));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      await execstream.close();
      server.closeAllConnections();
    },
  };
}
