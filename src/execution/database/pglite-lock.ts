// One server per data directory: two PGlites that write to the same files corrupt them, and PGlite does not prevent it.
//
// The lock is a Unix socket on which its holder listens. The kernel closes it when the process ends in any way, so a
// lock does not outlive its holder; and unlike with a pid file, a process that reuses the pid is not mistaken for the
// holder. The socket is in the directory, so other containers that mount it see the lock.
//
// Each process listens, under a unique name, before it checks for others: of two that start at the same time, at
// least one sees the other. A process that sees another one withdraws (at worst both do) and retries after a moment.
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { mkdir, mkdtemp, readdir, realpath, rename, rm, symlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ExecstreamError } from '../../event/errors.ts';

/** Releases the lock. */
export type Release = () => Promise<void>;

const LOCK_NAME = /^pglite-(\d+)-[0-9a-f]+\.lock$/;

/** Attempts to lock a directory that another process uses, which may be about to withdraw. */
const ATTEMPTS = 8;
const MAX_DELAY_MS = 60;

/** The longest path of a socket that all systems accept, in bytes. */
const MAX_SOCKET_PATH = 100;

/** Errors of file systems without sockets (VFAT, some network and virtual machine mounts). */
const WITHOUT_SOCKETS = ['EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EPERM'];

/** Errors of `connect` if no process listens. */
const NOT_LISTENING = ['ECONNREFUSED', 'ENOENT', 'ENOTSOCK'];

/**
 * Locks an existing directory for this process. A process on another machine (network file systems) is not detected;
 * on a file system without sockets, neither is one with another `TMPDIR`, as in another container.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` if another process holds the lock
 */
export async function lockDataDir(dataDir: string): Promise<Release> {
  const folder = await realpath(dataDir);
  const name = `execstream-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`;
  if (process.platform === 'win32') return lockPipe(`\\\\.\\pipe\\${name}`, dataDir);
  try {
    return await lockFolder(folder, dataDir);
  } catch (error) {
    if (!WITHOUT_SOCKETS.includes(codeOf(error))) throw error;
    const substitute = join(tmpdir(), name);
    await mkdir(substitute, { recursive: true });
    return lockFolder(substitute, dataDir);
  }
}

async function lockFolder(folder: string, dataDir: string): Promise<Release> {
  await using short = await shorten(folder);
  for (let attempt = 1; ; attempt += 1) {
    const { name, release } = await announce(short.path);
    const other = await findOther(short.path, name).catch(async (error) => {
      await release();
      throw error;
    });
    // The short path is removed before the lock is released.
    if (other === undefined) return () => release(folder);
    await release();
    if (attempt === ATTEMPTS) throw inUse(dataDir, other);
    await delay(randomInt(MAX_DELAY_MS));
  }
}

/** Listens in a folder. The socket gets its final name only once it accepts connections. */
async function announce(folder: string) {
  const id = `pglite-${process.pid}-${randomBytes(4).toString('hex')}`;
  const name = `${id}.lock`;
  const server = await listen(join(folder, `${id}.new`));
  try {
    await rename(join(folder, `${id}.new`), join(folder, name));
  } catch (error) {
    server.close();
    throw error;
  }
  const release = async (from: string = folder): Promise<void> => {
    await rm(join(from, name), { force: true });
    server.close();
  };
  return { name, release };
}

/** Returns the pid of another process that listens in a folder. Removes sockets whose process has ended. */
async function findOther(folder: string, own: string): Promise<string | undefined> {
  let holder: string | undefined;
  for (const name of await readdir(folder)) {
    const pid = LOCK_NAME.exec(name)?.[1];
    if (pid === undefined || name === own) continue;
    if (await isListening(join(folder, name))) holder = pid;
    else await rm(join(folder, name), { force: true });
  }
  return holder;
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Other errors are from a live process, for example EACCES from one of another user.
    socket.once('error', (error) => resolve(!NOT_LISTENING.includes(codeOf(error))));
  });
}

async function lockPipe(path: string, dataDir: string): Promise<Release> {
  try {
    const server = await listen(path);
    return async () => void server.close();
  } catch (error) {
    throw codeOf(error) === 'EADDRINUSE' ? inUse(dataDir) : error;
  }
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    // `exclusive`: a cluster worker must listen itself, not through its primary.
    server.listen({ path, exclusive: true }, () => {
      // An error of a later connection does not affect the lock.
      server.off('error', reject).on('error', () => {});
      resolve(server);
    });
    server.unref();
  });
}

/** A path to a folder that leaves room for a socket's name: through a symbolic link if its own path is too long. */
async function shorten(folder: string) {
  if (Buffer.byteLength(join(folder, `pglite-${process.pid}-12345678.lock`)) <= MAX_SOCKET_PATH) {
    return { path: folder, [Symbol.asyncDispose]: async () => {} };
  }
  const parent = await mkdtemp(join(tmpdir(), 'execstream-'));
  const path = join(parent, 'd');
  await symlink(folder, path);
  return { path, [Symbol.asyncDispose]: () => rm(parent, { recursive: true, force: true }) };
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}

function inUse(dataDir: string, pid?: string): ExecstreamError {
  const holder = pid === undefined ? 'another process' : `process ${pid}`;
  return new ExecstreamError(
    'SOURCE_UNAVAILABLE',
    `data directory is in use by ${holder}: give each server its own (DATA_DIR), or set DATABASE_URL`,
    { cause: new Error(`locked: ${dataDir}`) },
  );
}
