// Hono on Node: with Node's requests and responses as in the example, and with those of the web platform.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { start } from '../../examples/embedding/hono.ts';
import type { Execstream } from '../../src/index.ts';
import { describeEmbedding } from './suite.ts';

describeEmbedding('Hono', start);

describeEmbedding('Hono with `fetch`', async (execstream: Execstream) => {
  const app = new Hono();
  app.get('/', (context) => context.text('the application'));
  app.all('/streams/*', (context) => execstream.fetch(context.req.raw));
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
  if (!server.listening) await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      await execstream.close();
      if ('closeAllConnections' in server) server.closeAllConnections();
      server.close();
    },
  };
});
