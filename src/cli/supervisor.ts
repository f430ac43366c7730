// `execstream start --workers N`: so many server processes that share one port, for machines with several cores. This
// one serves nothing itself: it starts them, starts another where one dies, and stops them together.
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import type { Logger } from 'pino';

/** A worker that dies sooner than so after its start would die again: its successor waits. */
const SHORT_LIFE_MS = 5_000;

/**
 * Serves with `count` processes until a signal ends them.
 * @throws Error where the first ones do not start; they have said why.
 */
export async function superviseWorkers(count: number, logger: Logger): Promise<void> {
  let stopping = false;

  function startOne(): Worker {
    const worker = cluster.fork();
    const startedAt = performance.now();
    worker.once('exit', (code, signal) => {
      if (stopping) return;
      logger.error({ worker: worker.id, code, signal }, 'a worker has died; another one takes its place');
      const livedMs = performance.now() - startedAt;
      setTimeout(() => stopping || startOne(), Math.max(0, SHORT_LIFE_MS - livedMs));
    });
    return worker;
  }

  const stop = (signal: NodeJS.Signals) => {
    stopping = true;
    logger.info({ signal }, 'stopping');
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM');
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
  try {
    await Promise.all(Array.from({ length: count }, () => listening(startOne())));
  } catch (error) {
    stop('SIGTERM');
    throw error;
  }
  logger.info({ workers: count }, 'all workers are ready');
}

async function listening(worker: Worker): Promise<void> {
  const died = once(worker, 'exit').then(() => {
    throw new Error(`worker ${worker.id} did not start`);
  });
  await Promise.race([once(worker, 'listening'), died]);
  died.catch(() => {});
}
