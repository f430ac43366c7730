// Fastify: execstream below a path of an application that has its own routes and parsers.
import fastify from 'fastify';
import type { Execstream } from '../../src/index.ts';

/** Starts the application; port 0 selects a free one. */
export async function start(execstream: Execstream, port = 0) {
  const app = fastify({ forceCloseConnections: true });
  app.get('/', async () => 'the application');
  app.register(async (routes) => {
    // In this scope, bodies are not parsed: execstream reads them with its own limits.
    routes.removeAllContentTypeParsers();
    routes.addContentTypeParser('*', (_request, _body, done) => done(null));
    routes.all('/streams*', (request, reply) => {
      reply.hijack();
      execstream.node(request.raw, reply.raw);
    });
  });
  const url = await app.listen({ port, host: '127.0.0.1' });
  return {
    url,
    async close() {
      await execstream.close();
      await app.close();
    },
  };
}
