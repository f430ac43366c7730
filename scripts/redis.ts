// A Redis server process for tests, with its own port and folder.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type RunningServer, startServer } from './server-process.ts';

export interface RedisOptions {
  /** The path of redis-server. */
  binary: string;
  /**
   * `true`: acknowledged writes survive a kill. They are synced before each response, because `everysec` delays
   * writes for up to two seconds if the disk is slow. `false`: only data written by a `SAVE` command survive, so
   * that SAVE, further writes and `kill()` simulate a Redis that has lost its latest data.
   * @default false
   */
  appendonly?: boolean;
  /** Additional arguments of redis-server, such as `['--cluster-enabled', 'yes']`. */
  args?: readonly string[];
}

/** A Redis server that can be killed and restarted on the same port with the same data. */
export class RedisServer {
  readonly port: number;
  readonly url: string;
  /** The folder of its data. */
  readonly folder: string;
  readonly #options: RedisOptions;
  #process: RunningServer | undefined;

  private constructor(options: RedisOptions, port: number) {
    this.#options = options;
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.folder = mkdtempSync(join(process.env.TEST_FOLDER ?? tmpdir(), 'redis-'));
  }

  /** Starts a server; resolves once it accepts commands. */
  static async start(options: RedisOptions): Promise<RedisServer> {
    const server = new RedisServer(options, await freePort());
    try {
      await server.restart();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** Starts it again after `kill()`, on the same port and folder. Kills it first if it is running. */
  async restart(): Promise<void> {
    await this.kill();
    const { binary, appendonly = false, args = [] } = this.#options;
    const port = ['--port', `${this.port}`, '--bind', '127.0.0.1'];
    const durable = appendonly ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
    const data = ['--dir', this.folder, '--save', '', ...durable];
    this.#process = await startServer({
      command: binary,
      args: [...port, ...data, ...args],
      folder: this.folder,
      ready: /Ready to accept connections/,
    });
  }

  /** SIGKILL: connections break, and nothing more is written. Resolves once the process has exited. */
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
    rmSync(this.folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
