// A Temporal dev server process for the tests, on a port and in a folder of its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type RunningServer, startServer } from './server-process.ts';

export interface TemporalOptions {
  /** The path of the Temporal CLI. */
  binary: string;
  /** `true`: workflows survive `kill()` and `restart()`, in a file of the server's folder. Default: in memory. */
  persistent?: boolean;
  /** More arguments of `temporal server start-dev`, such as `['--dynamic-config-value', 'key=value']`. */
  args?: readonly string[];
}

/** A Temporal dev server that can be killed and started again on the same port. */
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

  /** What the runner gives to suites. */
  get url(): string {
    return this.address;
  }

  /** Starts one; resolves when it answers. */
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

  /** Starts it again after `kill()`, on the same port. Kills it first where it still runs. */
  async restart(): Promise<void> {
    await this.kill();
    const { binary, persistent = false, args = [] } = this.#options;
    const place = ['--ip', '127.0.0.1', '--port', `${this.port}`, '--headless', '--namespace', 'default'];
    const data = persistent ? ['--db-filename', join(this.folder, 'temporal.db')] : [];
    this.#process = await startServer({
      command: binary,
      args: ['server', 'start-dev', ...place, ...data, '--log-level', 'error', ...args],
      folder: this.folder,
      // Printed after the server's own check of its health.
      ready: /Temporal Server:/,
      timeoutMs: 60_000,
    });
  }

  /** SIGKILL: connections break. Resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.#process?.end('SIGKILL');
    this.#process = undefined;
  }

  /** Stops the process where it stands (SIGSTOP): connections stay open and nothing answers, until `thaw()`. */
  freeze(): void {
    if (this.#process) process.kill(this.#process.pid, 'SIGSTOP');
  }

  /** Lets a frozen server go on. */
  thaw(): void {
    if (this.#process) process.kill(this.#process.pid, 'SIGCONT');
  }

  /** Ends it for good and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
