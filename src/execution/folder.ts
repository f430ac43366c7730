// One process a folder: two PGlites that write to the same files destroy them, and nothing in PGlite prevents it.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { ExecstreamError } from '../event/error.ts';

/** What this process holds: its own pid in a lock file says only that some process with that pid made it. */
const held = new Set<string>();

/**
 * Takes a lock file, which names its holder. One that a dead process left behind is taken over. A holder on another
 * host (a folder mounted twice) cannot be asked, and a container has another name after each start, so its lock
 * counts as left behind.
 * @returns What gives the lock back.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` where another holder is alive.
 */
export async function holdFolder(lockFile: string): Promise<() => Promise<void>> {
  const file = resolve(lockFile);
  if (held.has(file)) throw inUse(file, process.pid);
  held.add(file);
  try {
    await take(file);
  } catch (error) {
    held.delete(file);
    throw error;
  }
  return async () => {
    await rm(file, { force: true });
    held.delete(file);
  };
}

async function take(file: string): Promise<void> {
  const holder = JSON.stringify({ pid: process.pid, host: hostname() });
  try {
    await writeFile(file, holder, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const other = await readHolder(file);
    if (other !== undefined && other.host === hostname() && isAlive(other.pid)) throw inUse(file, other.pid);
    await rm(file, { force: true });
    await writeFile(file, holder, { flag: 'wx' });
  }
}

/** Who a lock file names; undefined where it is gone or was cut short by a crash. */
async function readHolder(file: string): Promise<{ pid: number; host: string } | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Whether another process with this pid runs. Our own pid is that of a process before us: a container's is 1. */
function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function inUse(file: string, pid: number): ExecstreamError {
  return new ExecstreamError(
    'SOURCE_UNAVAILABLE',
    `Process ${pid} has this folder in use (${file}): one server a folder, or set DATABASE_URL`,
  );
}
