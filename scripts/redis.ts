// A Redis server process for the tests, on a port and in a folder of its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type RunningServer, startServer } from './server-process.ts';

export interface RedisOptions {
  /** The path of redis-server. */
  binary: string;
  /**
   * `true`: what was acknowledged survives a kill (written at each answer: `everysec` holds writes back for up to two
   * seconds where the disk is slow). `false`, the default: only what a `SAVE` command wrote survives it, so SAVE, more
   * writes, and `kill()` make a Redis that has lost the end of its data.
   */
  appendonly?: boolean;
  /** More arguments of redis-server, such as `['--cluster-enabled', 'yes']`. */
  args?: readonly string[];
}

/** A Redis server that can be killed and started again on the same port with the same data. */
export class RedisServer {
  readonly port: number;
  readonly url: string;
  /** Where it keeps its data. */
  readonly folder: string;
  readonly #options: RedisOptions;
  #process: RunningServer | undefined;

  private constructor(options: RedisOptions, port: number) {
    this.#options = options;
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.folder = mkdtempSync(join(process.env.TEST_FOLDER ?? tmpdir(), 'redis-'));
  }

  /** Starts one; resolves when it takes commands. */
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

  /** Starts it again after `kill()`, on the same port and folder. Kills it first where it still runs. */
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

  /** SIGKILL: connections break, nothing more is written. Resolves when the process is gone. */
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
    rmSync(this.folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
