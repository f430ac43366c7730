// One server per data folder: two PGlites that write to the same files destroy them, and PGlite does not prevent it.
//
// The lock is a Unix socket on which its holder listens. The kernel closes it when the process ends, however that
// happens, so a lock does not outlive its holder; and no other process can be mistaken for the holder, as with a pid
// that is used again. In the folder, the socket is also visible to other containers that mount it.
//
// Each process listens, under a unique name, before it looks for others: of two that start at the same time, at
// least one sees the other. Whoever sees another one withdraws (at worst both do) and tries again a little later.
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { mkdir, mkdtemp, readdir, realpath, rename, rm, symlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ExecstreamError } from '../../event/errors.ts';

/** Gives the lock back. */
export type Release = () => Promise<void>;

const LOCK_NAME = /^pglite-(\d+)-[0-9a-f]+\.lock$/;

/** How often a folder is tried that another process uses: long enough for one that withdraws as well. */
const ATTEMPTS = 8;
const MAX_DELAY_MS = 60;

/** The longest path of a socket that every system takes, in bytes. */
const MAX_SOCKET_PATH = 100;

/** What file systems without sockets answer (VFAT, some network and virtual machine mounts). */
const WITHOUT_SOCKETS = ['EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EPERM'];

/** What `connect` answers where nobody listens. */
const NOBODY_LISTENS = ['ECONNREFUSED', 'ENOENT', 'ENOTSOCK'];

/**
 * Locks an existing folder for this process. A process on another machine (a network file system) is not seen; on a
 * file system without sockets, neither is one that has another `TMPDIR`, as in another container.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` if it is locked already.
 */
export async function lockDataDir(dataDir: string): Promise<Release> {
  const folder = await realpath(dataDir);
  const name = `execstream-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`;
  if (process.platform === 'win32') return holdPipe(`\\\\.\\pipe\\${name}`, dataDir);
  try {
    return await hold(folder, dataDir);
  } catch (error) {
    if (!WITHOUT_SOCKETS.includes(codeOf(error))) throw error;
    const substitute = join(tmpdir(), name);
    await mkdir(substitute, { recursive: true });
    return hold(substitute, dataDir);
  }
}

async function hold(folder: string, dataDir: string): Promise<Release> {
  await using short = await shorten(folder);
  for (let attempt = 1; ; attempt += 1) {
    const { name, release } = await announce(short.path);
    const other = await findOther(short.path, name).catch(async (error) => {
      await release();
      throw error;
    });
    // The short path may be gone when the lock is given back.
    if (other === undefined) return () => release(folder);
    await release();
    if (attempt === ATTEMPTS) throw inUse(dataDir, other);
    await delay(randomInt(MAX_DELAY_MS));
  }
}

/** Listens in a folder. The socket gets its name when it can be connected to, never before. */
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

/** The pid of another process that listens in a folder. Removes sockets whose process has ended. */
async function findOther(folder: string, own: string): Promise<string | undefined> {
  let found: string | undefined;
  for (const name of await readdir(folder)) {
    const pid = LOCK_NAME.exec(name)?.[1];
    if (pid === undefined || name === own) continue;
    if (await isListening(join(folder, name))) found = pid;
    else await rm(join(folder, name), { force: true });
  }
  return found;
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // A process of another user refuses the connection, and lives.
    socket.once('error', (error) => resolve(!NOBODY_LISTENS.includes(codeOf(error))));
  });
}

async function holdPipe(path: string, dataDir: string): Promise<Release> {
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
    // `exclusive`: by this process itself, also where it is a worker of a cluster.
    server.listen({ path, exclusive: true }, () => {
      server.off('error', reject).on('error', () => {});
      resolve(server);
    });
    server.unref();
  });
}

/** A path to a folder that leaves room for a socket's name: through a symbolic link if the folder's is too long. */
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
  const holder = pid === undefined ? 'Another process' : `Process ${pid}`;
  return new ExecstreamError(
    'SOURCE_UNAVAILABLE',
    `${holder} is using the data folder: give each server its own (DATA_DIR), or set DATABASE_URL`,
    { cause: new Error(`locked: ${dataDir}`) },
  );
}
