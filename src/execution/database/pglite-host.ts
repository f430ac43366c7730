// Keeps PGlite running: restarts it with backoff after a crash or a hang, and connects the driver to the current
// thread.
import type { Duplex } from 'node:stream';
import { ExecstreamError } from '../../event/errors.ts';
import type { ErrorLogger } from '../../telemetry/logger.ts';
import { toDatabaseError } from './database-error.ts';
import { PGliteStream } from './pglite-stream.ts';
import { PGliteThread } from './pglite-thread.ts';

/** The first start writes about a thousand files, and a migration may rewrite a table. */
const START_TIMEOUT_MS = 10 * 60_000;

/** A hang is this number of statement timeouts without a reply. More than one, because a loaded machine is slow. */
const HANG_TIMEOUTS = 6;

const FIRST_RESTART_MS = 1_000;
const MAX_RESTART_MS = 30_000;

/** After a run of this length, the backoff starts again at its first delay. */
const STABLE_MS = 60_000;

export interface HostOptions {
  /** Absent: in memory, which is lost when PGlite fails. */
  readonly folder: string | undefined;
  /** The timeout of a statement. A thread that does not reply within six times this is terminated. */
  readonly timeoutMs: number;
  /** Applies missing migrations after each start. */
  prepare(): Promise<unknown>;
  readonly logger?: ErrorLogger | undefined;
}

export class PGliteHost {
  readonly #options: HostOptions;
  #thread: PGliteThread | undefined;
  /** Why there is currently no database. */
  #failure: ExecstreamError | undefined;
  #failuresInARow = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** The driver has one connection at a time; replies to earlier ones are dropped. */
  #stream: PGliteStream | undefined;
  #client = 0;

  constructor(options: HostOptions) {
    this.#options = options;
  }

  /** Resolves when the first start has succeeded or failed; after a failure, the host keeps trying. */
  async start(): Promise<void> {
    if (this.#isClosed) return;
    const { folder, timeoutMs, prepare, logger } = this.#options;
    const thread = new PGliteThread({
      folder,
      startTimeoutMs: START_TIMEOUT_MS,
      hangTimeoutMs: HANG_TIMEOUTS * timeoutMs,
      onReply: (client, reply) => {
        if (client === this.#client) this.#stream?.push(reply);
      },
    });
    this.#thread = thread;
    try {
      await thread.ready;
      await prepare();
      thread.watch();
    } catch (error) {
      await thread.close(timeoutMs);
      this.#onFailure(thread.error ? describe(thread.error) : toDatabaseError(error));
      return;
    }
    if (this.#failure) logger?.info?.({}, 'embedded database restarted');
    this.#failure = undefined;
    const startedAt = performance.now();
    thread.failed.then((error) => {
      if (performance.now() - startedAt > STABLE_MS) this.#failuresInARow = 0;
      this.#onFailure(describe(error));
    });
  }

  /** @throws ExecstreamError `SOURCE_UNAVAILABLE`, or the error of a failed migration, while there is no database */
  check(): void {
    if (this.#isClosed) throw new ExecstreamError('SOURCE_UNAVAILABLE', 'embedded database is closed');
    if (this.#failure) throw this.#failure;
  }

  /** Opens a connection, which replaces the previous one. */
  connect(): Duplex {
    this.#stream?.destroy();
    const client = ++this.#client;
    const thread = this.#thread;
    const stream = new PGliteStream((bytes) => thread?.send(client, bytes));
    this.#stream = stream;
    if (!thread) stream.destroy(this.#failure ?? new Error('PGlite is closed'));
    return stream;
  }

  /** Closes the database within `timeoutMs`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#restartTimer);
    await this.#thread?.close(this.#options.timeoutMs);
    this.#thread = undefined;
    this.#stream?.destroy();
  }

  #onFailure(failure: ExecstreamError): void {
    if (this.#isClosed) return;
    this.#thread = undefined;
    this.#failure = failure;
    this.#stream?.destroy(failure);
    const delayMs = Math.min(MAX_RESTART_MS, FIRST_RESTART_MS * 2 ** this.#failuresInARow);
    this.#failuresInARow += 1;
    this.#options.logger?.error({ err: failure }, `embedded database failed; restarting in ${delayMs} ms`);
    this.#restartTimer = setTimeout(() => this.start(), delayMs).unref();
  }
}

/**
 * The error for callers: with the operating system's reason, if the message ends in one (`could not write to file "…":
 * No space left on device`), and without file names.
 */
function describe(cause: Error): ExecstreamError {
  const reason = /(?:^|: )(\w[\w ,-]*(?:\/\w[\w ,-]*)?)$/.exec(cause.message)?.[1];
  const message = `embedded database failed and is being restarted${reason ? `: ${reason}` : ''}`;
  return new ExecstreamError('SOURCE_UNAVAILABLE', message, { cause });
}
