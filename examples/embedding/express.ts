// Express: execstream below a path of an application that has its own routes, parses bodies and compresses responses.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import compression from 'compression';
import express from 'express';
import type { Execstream } from '../../src/index.ts';

/** Starts the application; port 0 selects a free one. */
export async function start(execstream: Execstream, port = 0) {
  const app = express();
  app.use(compression());
  app.use(express.json());
  app.get('/', (_, response) => void response.send('the application'));
  // Requests outside the base path of execstream pass through.
  app.use(execstream.node);
  const server = app.listen(port, '127.0.0.1');
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
