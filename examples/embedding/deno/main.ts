// Deno: execstream below a path of `Deno.serve`.
//
//   deno run --allow-all main.ts
import process from 'node:process';
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

const onListen = ({ port }: { port: number }) => console.log(`listening on http://127.0.0.1:${port}`);
const port = Number(process.env.PORT ?? 3000);
const server = Deno.serve({ hostname: '127.0.0.1', port, onListen }, (request) => {
  const { pathname } = new URL(request.url);
  if (/^\/streams(\/|$)/.test(pathname)) return execstream.fetch(request);
  return new Response(pathname === '/' ? 'the application' : 'not found', {
    status: pathname === '/' ? 200 : 404,
  });
});

Deno.addSignalListener('SIGTERM', async () => {
  await execstream.close();
  await Promise.all([server.shutdown(), log.close(), store.close()]);
  Deno.exit();
});
