// A Temporal dev server process for tests, with its own port and folder.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type RunningServer, startServer } from './server-process.ts';

export interface TemporalOptions {
  /** The path of the Temporal CLI. */
  binary: string;
  /** `true`: workflows survive `kill()` and `restart()`, in a file of the server's folder. @default false */
  persistent?: boolean;
  /** Additional arguments of `temporal server start-dev`, such as `['--dynamic-config-value', 'key=value']`. */
  args?: readonly string[];
}

/** A Temporal dev server that can be killed and restarted on the same port. */
export class TemporalServer {
  readonly port: number;
  /** `127.0.0.1:<port>`. */
  readonly address: string;
  readonly folder: string;
  readonly #options: TemporalOptions;
  #process: RunningServer | undefined;

  private constructor(options: TemporalOptions, port: number) {
    this.#options = options;
    this.port = port;
    this.address = `127.0.0.1:${port}`;
    this.folder = mkdtempSync(join(process.env.TEST_FOLDER ?? tmpdir(), 'temporal-'));
  }

  /** The address that the runner passes to suites. */
  get url(): string {
    return this.address;
  }

  /** Starts a server; resolves once it responds. */
  static async start(options: TemporalOptions): Promise<TemporalServer> {
    const server = new TemporalServer(options, await freePort());
    try {
      await server.restart();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** Starts it again after `kill()`, on the same port. Kills it first if it is running. */
  async restart(): Promise<void> {
    await this.kill();
    const { binary, persistent = false, args = [] } = this.#options;
    const place = ['--ip', '127.0.0.1', '--port', `${this.port}`, '--headless', '--namespace', 'default'];
    const data = persistent ? ['--db-filename', join(this.folder, 'temporal.db')] : [];
    this.#process = await startServer({
      command: binary,
      args: ['server', 'start-dev', ...place, ...data, '--log-level', 'error', ...args],
      folder: this.folder,
      // Printed after the server's own health check.
      ready: /Temporal Server:/,
      timeoutMs: 60_000,
    });
  }

  /** SIGKILL: connections break. Resolves once the process has exited. */
  async kill(): Promise<void> {
    await this.#process?.end('SIGKILL');
    this.#process = undefined;
  }

  /** Suspends the process (SIGSTOP): connections stay open without responses until `thaw()`. */
  freeze(): void {
    if (this.#process) process.kill(this.#process.pid, 'SIGSTOP');
  }

  /** Resumes a frozen server. */
  thaw(): void {
    if (this.#process) process.kill(this.#process.pid, 'SIGCONT');
  }

  /** Ends it permanently and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
