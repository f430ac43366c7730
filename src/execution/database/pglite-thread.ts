// One run of PGlite in a worker thread. Its WASM code is synchronous, and after some failures (a full disk, for one)
// it never returns: in a thread it blocks nobody, and can be terminated.
import { Worker } from 'node:worker_threads';

export interface WorkerData {
  /** In memory where absent. */
  readonly folder: string | undefined;
}

/** One client's protocol messages; or a clean shutdown. */
export type ToWorker = { readonly client: number; readonly bytes: Uint8Array } | 'close';

export type FromWorker =
  | 'ready'
  /** The oldest request that was sent has been answered completely. */
  | 'done'
  | { readonly client: number; readonly reply: Uint8Array }
  /** A line of Postgres' own log. */
  | { readonly stderr: string };

export interface ThreadOptions extends WorkerData {
  /** After how long a thread that is not ready, and prepared, is terminated. */
  readonly startTimeoutMs: number;
  /** After how long a prepared thread that does not reply to a request is terminated. */
  readonly hangTimeoutMs: number;
  onReply(client: number, reply: Uint8Array): void;
}

/** How often a busy thread is checked within `hangTimeoutMs`. */
const CHECKS = 4;

/** A line such as `2026-01-02 03:04:05.678 UTC [42] PANIC:  could not write …`; what follows a line break is indented. */
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
  /** The last fatal message in Postgres' log: it explains what the thread died of. */
  #logged: string | undefined;
  #isReady = false;
  #isOver = false;
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
      .on('exit', (code) => this.#fail(new Error(`PGlite has exited with code ${code}`)));
    this.#startTimer = setTimeout(
      () => this.#fail(new Error(`PGlite was not ready within ${startTimeoutMs} ms`)),
      startTimeoutMs,
    ).unref();
  }

  /** To be called when the database is prepared: from now on, a request that gets no reply means a hang. */
  watch(): void {
    if (this.#isOver) return;
    clearTimeout(this.#startTimer);
    this.#checks = setInterval(() => this.#check(), this.#options.hangTimeoutMs / CHECKS).unref();
  }

  /** Why the thread has ended without `close`. */
  get error(): Error | undefined {
    return this.#error;
  }

  send(client: number, bytes: Uint8Array): void {
    if (this.#isOver) return;
    // An idle database does not keep the process alive; a busy one does.
    if (this.#pending === 0) this.#worker.ref();
    this.#pending += 1;
    this.#worker.postMessage({ client, bytes } satisfies ToWorker, [bytes.buffer as ArrayBuffer]);
  }

  /** Shuts down cleanly; a thread that is not ready, is busy, or takes longer than the timeout is terminated. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#isOver) return;
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
    if (this.#isOver) return;
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
      if (severity === 'PANIC') this.#fail(new Error('PGlite has crashed'));
    }
  }

  /** Counts instead of comparing times: after a suspension of the machine, the reply may already be on its way. */
  #check(): void {
    this.#silentChecks = this.#pending > 0 ? this.#silentChecks + 1 : 0;
    if (this.#silentChecks > CHECKS) {
      this.#fail(new Error(`PGlite has not replied for ${this.#options.hangTimeoutMs} ms`));
    }
  }

  #fail(cause: Error): void {
    if (this.#isOver) return;
    this.#end();
    this.#worker.terminate();
    this.#error = this.#logged === undefined ? cause : new Error(this.#logged, { cause });
    this.#rejectReady(this.#error);
    this.#resolveFailed(this.#error);
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#startTimer);
    clearInterval(this.#checks);
  }
}

/** The worker's file. In a checkout it is TypeScript, which Node does not run without a loader. */
function entry(workerData: WorkerData): ConstructorParameters<typeof Worker> {
  const options = { workerData, execArgv: [] };
  if (!import.meta.url.endsWith('.ts')) return [new URL('./pglite-worker.js', import.meta.url), options];
  const file = JSON.stringify(new URL('./pglite-worker.ts', import.meta.url).href);
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const code = `import(${loader}).then(({ register }) => { register(); return import(${file}); })`;
  return [code, { ...options, eval: true }];
}
