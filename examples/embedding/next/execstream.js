// One execstream per process: route handlers are compiled separately, and again after each change.
import { createExecstream, createMemoryLog, createPrismaStore } from 'execstream';

/** @returns {import('execstream').Execstream} */
export function getExecstream() {
  globalThis.execstream ??= create();
  return globalThis.execstream;
}

function create() {
  const { DATABASE_URL: url } = process.env;
  const log = createMemoryLog();
  const store = createPrismaStore(url ? { url } : { memory: true });
  const execstream = createExecstream({
    log,
    store,
    basePath: '/streams',
    authenticate(request) {
      const id = request.headers.get('x-user');
      return id === null ? undefined : { id };
    },
  });
  // `next start` waits for responses in progress, so the streams have to be rotated.
  process.once('SIGTERM', async () => {
    await execstream.close();
    await Promise.all([log.close(), store.close()]);
  });
  return execstream;
}
