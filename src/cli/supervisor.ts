// `execstream start --workers N`: N server processes that share one port, for machines with several cores. The
// supervisor itself serves no requests: it starts the workers, replaces those that die, and stops all of them.
import cluster, { type Worker } from 'node:cluster';
import type { Logger } from 'pino';
import { type BackoffPolicy, backoff } from '../async/backoff.ts';
import { ExecstreamError } from '../event/errors.ts';
import { stopOnSignals } from './stop-signals.ts';

/** What a worker reports to its supervisor. */
export type WorkerReport =
  /** It serves, and no setting is wrong. */
  | { readonly started: true }
  /** It ends, for this reason. */
  | { readonly failed: string };

/**
 * Between the start of a worker and that of its replacement, so that a crash loop does not spin: longer after each start
 * in a row that failed.
 */
const RESTART: BackoffPolicy = { firstMs: 5_000, maxMs: 60_000 };

/** A supervisor waits longer than its workers, which have a deadline too. */
const EXTRA_DEADLINE_MS = 2_000;

export interface SupervisorOptions {
  readonly count: number;
  readonly logger: Logger;
  /** How long a worker may take to stop, in ms. */
  readonly deadlineMs: number;
}

/**
 * Serves with several processes until SIGTERM or SIGINT.
 * @throws ExecstreamError `CONFIG` with the reason if one of the first workers does not start; all have stopped then.
 */
export function superviseWorkers(options: SupervisorOptions): Promise<void> {
  return new Supervisor(options).start();
}

/** Sends a report to the supervisor; resolves when it was sent. */
export function reportToSupervisor(report: WorkerReport): Promise<void> {
  return new Promise((resolve) => process.send?.(report, undefined, undefined, () => resolve()));
}

type SupervisorState =
  /** The first workers have not all started. */
  'starting' | 'serving' | 'stopping';

class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #running = new Set<Worker>();
  readonly #started = new Set<Worker>();
  readonly #restarts = new Set<NodeJS.Timeout>();
  #state: SupervisorState = 'starting';
  #failedStarts = 0;
  /** Why the supervisor gave up. */
  #failure: string | undefined;
  #onReady = (): void => {};
  #onStopped = (): void => {};
  readonly #ready: Promise<void>;
  readonly #stopped: Promise<void>;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#ready = new Promise((resolve) => {
      this.#onReady = resolve;
    });
    this.#stopped = new Promise((resolve) => {
      this.#onStopped = resolve;
    });
  }

  async start(): Promise<void> {
    const { count, logger, deadlineMs } = this.#options;
    stopOnSignals({
      logger,
      deadlineMs: deadlineMs + EXTRA_DEADLINE_MS,
      stop: () => {
        this.#stop();
        return this.#stopped;
      },
      force: () => {
        for (const worker of this.#running) worker.process.kill('SIGKILL');
        process.exit(1);
      },
    });
    for (let i = 0; i < count; i += 1) this.#startWorker();
    await Promise.race([this.#ready, this.#stopped]);
    if (this.#failure !== undefined) throw new ExecstreamError('CONFIG', this.#failure);
  }

  #startWorker(): void {
    const worker = cluster.fork();
    const startedAt = performance.now();
    let reason: string | undefined;
    this.#running.add(worker);
    worker.on('message', (report: WorkerReport) => {
      if ('failed' in report) reason = report.failed;
      else this.#onStarted(worker);
    });
    worker.once('exit', (code, signal) => {
      this.#running.delete(worker);
      const hasStarted = this.#started.delete(worker);
      const details = { worker: worker.id, code, signal, ...(reason !== undefined && { reason }) };
      if (this.#state === 'stopping') this.#onExitWhileStopping(hasStarted, details);
      else if (hasStarted) this.#replace(startedAt, details);
      else this.#onFailedStart(startedAt, details);
    });
  }

  #onStarted(worker: Worker): void {
    this.#started.add(worker);
    this.#failedStarts = 0;
    const { count, logger } = this.#options;
    if (this.#state !== 'starting' || this.#started.size < count) return;
    this.#state = 'serving';
    logger.info({ workers: count }, 'all workers are ready');
    this.#onReady();
  }

  #replace(startedAt: number, details: ExitDetails): void {
    const livedMs = performance.now() - startedAt;
    const delayMs = Math.max(0, backoff(RESTART, this.#failedStarts + 1) - livedMs);
    // A signal to the group may reach a worker first, which can have drained before the supervisor receives its own.
    if (details.code === 0) this.#options.logger.info(details, 'worker stopped; starting another one');
    else this.#options.logger.error(details, 'worker died; starting another one');
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#startWorker();
    }, delayMs);
    this.#restarts.add(timer);
  }

  /** A replacement is tried again while other workers serve. If none does, the command ends. */
  #onFailedStart(startedAt: number, details: ExitDetails): void {
    this.#failedStarts += 1;
    if (this.#state === 'serving' && this.#started.size > 0) {
      this.#replace(startedAt, details);
      return;
    }
    this.#failure = details.reason ?? `worker ${details.worker} did not start`;
    if (this.#state === 'serving') {
      this.#options.logger.error(details, 'no worker serves, and none can be started; exiting');
      process.exitCode = 1;
    }
    this.#stop();
  }

  #stop(): void {
    this.#state = 'stopping';
    for (const timer of this.#restarts) clearTimeout(timer);
    for (const worker of this.#running) worker.process.kill('SIGTERM');
    if (this.#running.size === 0) this.#onStopped();
  }

  #onExitWhileStopping(hasStarted: boolean, details: ExitDetails): void {
    // A worker that was still loading has no handler of the signal yet, and nothing to finish.
    const isClean = details.code === 0 || (!hasStarted && this.#failure === undefined);
    if (!isClean && this.#failure === undefined) {
      this.#options.logger.error(details, 'worker did not stop cleanly');
      process.exitCode = 1;
    }
    if (this.#running.size === 0) this.#onStopped();
  }
}

interface ExitDetails {
  readonly worker: number;
  readonly code: number | null;
  readonly signal: string | null;
  readonly reason?: string;
}
