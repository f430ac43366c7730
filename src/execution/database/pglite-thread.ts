// One run of PGlite in a worker thread. Its WASM code is synchronous, and after some failures (such as a full disk) it
// never returns: in a thread it does not block the event loop, and can be terminated.
import { Worker } from 'node:worker_threads';

export interface WorkerData {
  /** Absent: in memory. */
  readonly folder: string | undefined;
}

/** A client's protocol messages, or the request for a clean shutdown. */
export type ToWorker = { readonly client: number; readonly bytes: Uint8Array } | 'close';

export type FromWorker =
  | 'ready'
  /** The reply to the oldest pending request is complete. */
  | 'done'
  | { readonly client: number; readonly reply: Uint8Array }
  /** A line of Postgres' log. */
  | { readonly stderr: string };

export interface ThreadOptions extends WorkerData {
  /** The time within which a thread must be ready and prepared, or is terminated. */
  readonly startTimeoutMs: number;
  /** The time within which a prepared thread must reply to a request, or is terminated. */
  readonly hangTimeoutMs: number;
  onReply(client: number, reply: Uint8Array): void;
}

/** How often a busy thread is checked within `hangTimeoutMs`. */
const CHECKS = 4;

/** A line such as `2026-01-02 03:04:05.678 UTC [42] PANIC:  could not write …`; continuation lines are indented. */
const FATAL_LINE = /^\S+ \S+ \S+ \[\d+\] (PANIC|FATAL): +(.*)/;

export class PGliteThread {
  readonly #worker: Worker;
  readonly #options: ThreadOptions;
  #checks: NodeJS.Timeout | undefined;
  readonly #startTimer: NodeJS.Timeout;
  /** Requests without a complete reply. */
  #pending = 0;
  /** Checks in a row that found the thread busy and silent. */
  #silentChecks = 0;
  /** The last fatal message in Postgres' log: it explains why the thread ended. */
  #logged: string | undefined;
  #isReady = false;
  #hasEnded = false;
  #resolveReady = (): void => {};
  #rejectReady = (_: Error): void => {};
  #resolveFailed = (_: Error): void => {};
  #error: Error | undefined;

  /** Rejects with the reason if PGlite does not start. */
  readonly ready: Promise<void>;
  /** Resolves with the reason when the thread ends without `close`, before it was ready or after. */
  readonly failed: Promise<Error>;

  constructor(options: ThreadOptions) {
    const { folder, startTimeoutMs } = options;
    this.#options = options;
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    this.failed = new Promise((resolve) => {
      this.#resolveFailed = resolve;
    });
    this.#worker = new Worker(...entry({ folder }))
      .on('message', (message: FromWorker) => this.#onMessage(message))
      .on('error', (error) => this.#fail(error))
      .on('exit', (code) => this.#fail(new Error(`PGlite exited with code ${code}`)));
    this.#startTimer = setTimeout(
      () => this.#fail(new Error(`PGlite was not ready within ${startTimeoutMs} ms`)),
      startTimeoutMs,
    ).unref();
  }

  /** Starts the detection of hangs; called once the database is prepared. */
  watch(): void {
    if (this.#hasEnded) return;
    clearTimeout(this.#startTimer);
    this.#checks = setInterval(() => this.#check(), this.#options.hangTimeoutMs / CHECKS).unref();
  }

  /** The reason if the thread has ended without `close`. */
  get error(): Error | undefined {
    return this.#error;
  }

  send(client: number, bytes: Uint8Array): void {
    if (this.#hasEnded) return;
    // An idle database does not keep the process alive; a busy one does.
    if (this.#pending === 0) this.#worker.ref();
    this.#pending += 1;
    this.#worker.postMessage({ client, bytes } satisfies ToWorker, [bytes.buffer as ArrayBuffer]);
  }

  /** Shuts down cleanly. A thread that is not ready, is busy, or exceeds the timeout is terminated. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#hasEnded) return;
    this.#end();
    if (!this.#isReady || this.#pending > 0) {
      this.#rejectReady(new Error('PGlite is closed'));
      await this.#worker.terminate();
      return;
    }
    this.#worker.ref();
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#worker.postMessage('close' satisfies ToWorker);
    const timer = setTimeout(() => this.#worker.terminate(), timeoutMs);
    await exited;
    clearTimeout(timer);
  }

  #onMessage(message: FromWorker): void {
    if (this.#hasEnded) return;
    this.#silentChecks = 0;
    if (message === 'ready') {
      this.#isReady = true;
      this.#logged = undefined;
      this.#worker.unref();
      this.#resolveReady();
    } else if (message === 'done') {
      this.#pending -= 1;
      this.#logged = undefined;
      if (this.#pending === 0) this.#worker.unref();
    } else if ('reply' in message) {
      this.#options.onReply(message.client, message.reply);
    } else {
      const [, severity, text] = FATAL_LINE.exec(message.stderr) ?? [];
      this.#logged = text ?? this.#logged;
      // A Postgres server aborts after a panic; PGlite spins instead.
      if (severity === 'PANIC') this.#fail(new Error('PGlite crashed'));
    }
  }

  /** Counts instead of comparing times: after the machine was suspended, the reply may already be in transit. */
  #check(): void {
    this.#silentChecks = this.#pending > 0 ? this.#silentChecks + 1 : 0;
    if (this.#silentChecks > CHECKS) {
      this.#fail(new Error(`PGlite has not replied for ${this.#options.hangTimeoutMs} ms`));
    }
  }

  #fail(cause: Error): void {
    if (this.#hasEnded) return;
    this.#end();
    this.#worker.terminate();
    this.#error = this.#logged === undefined ? cause : new Error(this.#logged, { cause });
    this.#rejectReady(this.#error);
    this.#resolveFailed(this.#error);
  }

  #end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#startTimer);
    clearInterval(this.#checks);
  }
}

/** The worker's entry. In a checkout it is TypeScript, which needs a loader. */
function entry(workerData: WorkerData): ConstructorParameters<typeof Worker> {
  const options = { workerData, execArgv: [] };
  if (!import.meta.url.endsWith('.ts')) return [new URL('./pglite-worker.js', import.meta.url), options];
  // Not `new URL(…, import.meta.url)`: bundlers would look for a file that the package does not have.
  const file = JSON.stringify(import.meta.url.replace(/thread\.ts$/, 'worker.ts'));
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const code = `import(${loader}).then(({ register }) => { register(); return import(${file}); })`;
  return [code, { ...options, eval: true }];
}
