// `execstream start --workers N`: N server processes that share one port, for machines with several cores. The
// supervisor itself serves no requests: it starts the workers, replaces those that die, and stops all of them.
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import type { Logger } from 'pino';

/** Minimum time between the starts of a worker and of its replacement, so that a crash loop does not spin. */
const MIN_RESTART_MS = 5_000;

/**
 * Serves with `count` processes until SIGTERM or SIGINT.
 * @throws Error if one of the first workers does not start; the worker has logged the cause.
 */
export async function superviseWorkers(count: number, logger: Logger): Promise<void> {
  let stopping = false;

  function startWorker(): Worker {
    const worker = cluster.fork();
    const startedAt = performance.now();
    worker.once('exit', (code, signal) => {
      if (stopping) return;
      logger.error({ worker: worker.id, code, signal }, 'worker died; starting another one');
      const livedMs = performance.now() - startedAt;
      setTimeout(() => stopping || startWorker(), Math.max(0, MIN_RESTART_MS - livedMs));
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
    await Promise.all(Array.from({ length: count }, () => untilListening(startWorker())));
  } catch (error) {
    stop('SIGTERM');
    throw error;
  }
  logger.info({ workers: count }, 'all workers are ready');
}

async function untilListening(worker: Worker): Promise<void> {
  const died = once(worker, 'exit').then(() => {
    throw new Error(`worker ${worker.id} did not start`);
  });
  await Promise.race([once(worker, 'listening'), died]);
  died.catch(() => {});
}
