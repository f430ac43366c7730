// A PostgreSQL server process for tests, with its own port and folder.
import { execFile } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, type RunningServer, startServer } from './server-process.ts';

export interface PostgresOptions {
  /** The folder of `initdb` and `postgres`. */
  bin: string;
  /** Additional server settings, such as `{ max_connections: '20' }`. */
  settings?: Readonly<Record<string, string>>;
}

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  // Disabled: the path of the socket file would be too long in some temporary folders.
  unix_socket_directories: '',
  max_connections: '200',
  // No syncing to disk: data that the kernel has accepted survive a killed process, and are deleted at the end
  // anyway. Commits stay synchronous, so that a kill loses none.
  fsync: 'off',
  full_page_writes: 'off',
};

/** A PostgreSQL server that can be killed and restarted on the same port with the same data. */
export class PostgresServer {
  readonly port: number;
  /** The superuser's URL of the database `postgres`, without a password. */
  readonly url: string;
  readonly #folder: string;
  readonly #options: PostgresOptions;
  readonly #user = userForPostgres();
  #process: RunningServer | undefined;

  private constructor(options: PostgresOptions, port: number) {
    this.#options = options;
    this.port = port;
    this.url = `postgresql://postgres@127.0.0.1:${port}/postgres`;
    this.#folder = mkdtempSync(join(process.env.TEST_FOLDER ?? tmpdir(), 'postgres-'));
    if (this.#user) chownSync(this.#folder, this.#user.uid, this.#user.gid);
  }

  /** Creates a new, empty database cluster and starts its server; takes about two seconds. */
  static async start(options: PostgresOptions): Promise<PostgresServer> {
    const server = new PostgresServer(options, await freePort());
    try {
      await server.#initialise();
      await server.restart();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  async #initialise(): Promise<void> {
    const args = [
      '-D',
      this.#data,
      '-U',
      'postgres',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--no-locale',
      '--no-sync',
    ];
    await promisify(execFile)(join(this.#options.bin, 'initdb'), args, { cwd: this.#folder, ...this.#user });
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }

  /** Starts it again after `kill()`, on the same port and data. Kills it first if it is running. */
  async restart(): Promise<void> {
    await this.kill();
    const settings = Object.entries({ ...SETTINGS, ...this.#options.settings });
    this.#process = await startServer({
      command: join(this.#options.bin, 'postgres'),
      args: ['-D', this.#data, '-p', `${this.port}`, ...settings.flatMap(([k, v]) => ['-c', `${k}=${v}`])],
      folder: this.#folder,
      ready: /database system is ready to accept connections/,
      user: this.#user,
    });
  }

  /**
   * An immediate shutdown (SIGQUIT): connections break, transactions are lost, and the next start recovers. With
   * SIGKILL, child processes would outlive the server for a while and prevent a restart.
   */
  async kill(): Promise<void> {
    await this.#process?.end('SIGQUIT');
    this.#process = undefined;
  }

  /** Ends it permanently and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** PostgreSQL rejects root, so it runs as its own user or as nobody. */
function userForPostgres(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const fields = users.find((line) => line.startsWith(`${name}:`))?.split(':');
    if (fields) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error(
    'PostgreSQL does not run as root, and there is no user "postgres" or "nobody" to run it as',
  );
}
