// Stops a process at SIGTERM or SIGINT. A repeated signal does not cut off streams that are draining: systemd and
// terminals send one to every process of a group, and then Kubernetes or a person repeats it.
import type { Logger } from 'pino';

/** Signals that arrive together are one request: npm and a terminal both deliver the same Ctrl-C. */
const SAME_REQUEST_MS = 100;

/** The request to stop that no longer waits. */
const FORCING_REQUEST = 3;

export interface StopSignalOptions {
  readonly logger: Logger;
  /** Called at the first signal. The process exits when it resolves, with `process.exitCode`. */
  stop(): Promise<void>;
  /** Called instead of waiting for `stop` any longer; ends the process. */
  force(): void;
  /** How long `stop` may take, in ms. */
  readonly deadlineMs: number;
  /**
   * Whether a third request forces. A worker of a supervisor gets each signal from the group and from the supervisor,
   * so that only the supervisor can count requests.
   * @default true
   */
  readonly isCounting?: boolean;
}

/** Installs the handlers, which stay until the process ends: without one, a signal would end it immediately. */
export function stopOnSignals(options: StopSignalOptions): void {
  const { logger, stop, force, deadlineMs, isCounting = true } = options;
  let requests = 0;
  let lastSignalAt = Number.NEGATIVE_INFINITY;

  function begin(signal: NodeJS.Signals): void {
    logger.info({ signal }, 'stopping');
    // It does not keep a process alive that has closed everything.
    setTimeout(() => {
      logger.error({ deadlineMs }, 'not stopped within the deadline; exiting');
      force();
    }, deadlineMs).unref();
    stop().then(
      // A process that ends because nothing is left to do removes its signal handlers first, and a signal in that moment
      // would kill it.
      () => process.exit(),
      (err) => {
        logger.error({ err }, 'stopping failed; exiting');
        force();
      },
    );
  }

  function repeat(signal: NodeJS.Signals): void {
    if (requests < FORCING_REQUEST) {
      logger.info({ signal }, 'already stopping; one more signal exits without waiting for streams');
      return;
    }
    logger.warn({ signal }, 'exiting without waiting for streams');
    force();
  }

  function onSignal(signal: NodeJS.Signals): void {
    const isRepeated = performance.now() - lastSignalAt < SAME_REQUEST_MS;
    lastSignalAt = performance.now();
    if (isRepeated) return;
    requests += 1;
    if (requests === 1) begin(signal);
    else if (isCounting) repeat(signal);
  }

  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
}
