// Bun: execstream below a path of `Bun.serve`.
//
//   bun main.ts
import { createExecstream, createMemoryLog, createPrismaStore } from 'execstream';

const log = createMemoryLog();
const store = createPrismaStore(
  process.env.DATABASE_URL ? { url: process.env.DATABASE_URL } : { memory: true },
);
const execstream = createExecstream({
  log,
  store,
  basePath: '/streams',
  authenticate(request) {
    const id = request.headers.get('x-user');
    return id === null ? undefined : { id };
  },
});

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.env.PORT ?? 3000),
  // Bun closes connections that are idle for longer; heartbeats are sent every 15 s.
  idleTimeout: 60,
  routes: {
    '/': new Response('the application'),
    '/streams': (request: Request) => execstream.fetch(request),
    '/streams/*': (request: Request) => execstream.fetch(request),
  },
});
console.log(`listening on ${server.url.origin}`);

process.on('SIGTERM', async () => {
  await execstream.close();
  await server.stop(true);
  await Promise.all([log.close(), store.close()]);
});
