// Starts a server program for tests, waits for the line that reports that it is ready, and guarantees that it ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** How to start a server program. */
export interface ServerOptions {
  command: string;
  args: readonly string[];
  /** Its working folder. The pid is written there, so that `endStrays` finds it. */
  folder: string;
  /** A pattern in its output, on either stream, that shows that it is ready. */
  ready: RegExp;
  /** The user to run it as. @default the current user */
  user?: { uid: number; gid: number };
  /** @default 30_000 */
  timeoutMs?: number;
  /** Receives all output on both streams until it exits. */
  onPrinted?: (chunk: Buffer) => void;
}

/** A running server program. */
export interface RunningServer {
  readonly pid: number;
  /** Resolves when the process has exited, with the signal or the code. */
  readonly exited: Promise<string>;
  /** Sends a signal and waits for the exit. Does nothing if it has exited already. */
  end(signal: NodeJS.Signals): Promise<void>;
}

const PID_FILE = 'server.pid';
const running = new Set<ChildProcess>();

// The last resort: a test process that exits without cleaning up takes its servers with it.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts a server program and resolves once it is ready.
 * @throws Error with its output, if it exits or does not get ready in time.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { command, args, folder, ready, user, timeoutMs = 30_000, onPrinted } = options;
  const child = spawn(command, args, {
    cwd: folder,
    // A separate process group, so that Ctrl-C in a terminal reaches only the runner, which ends the servers last.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: folder, LC_ALL: 'C' },
    ...user,
  });
  running.add(child);
  const exited = new Promise<string>((resolve) => {
    const ended = (why: string) => {
      running.delete(child);
      resolve(why);
    };
    child.once('exit', (code, signal) => ended(signal ?? `code ${code}`));
    child.once('error', ({ message }) => ended(message));
  });

  await new Promise<void>((resolve, reject) => {
    let output = '';
    let isReady = false;
    const fail = (why: string) => {
      clearTimeout(timer);
      reject(new Error(`${command} ${why}\n${output}`));
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`was not ready within ${timeoutMs} ms; output:`);
    }, timeoutMs);
    const read = (chunk: Buffer) => {
      onPrinted?.(chunk);
      // Output is read until it exits: a full pipe would block the server.
      if (isReady) return;
      output += chunk;
      if (!ready.test(output)) return;
      isReady = true;
      clearTimeout(timer);
      resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', (error) => fail(`could not start: ${error.message}`));
    // 'close' instead of 'exit': all output has been read by then.
    child.once('close', (code, signal) => fail(`exited with ${signal ?? `code ${code}`}; output:`));
  });

  const pid = child.pid!;
  writeFileSync(join(folder, PID_FILE), String(pid));
  return {
    pid,
    exited,
    async end(signal) {
      if (running.has(child)) child.kill(signal);
      await exited;
    },
  };
}

/**
 * Ends the servers that test processes left running in folders under `parent`, and waits for their exit. A test
 * process that was killed cannot do that itself.
 * @returns the names of the folders whose server was still running.
 */
export async function endStrays(parent: string): Promise<string[]> {
  const strays: string[] = [];
  for (const name of readdirSync(parent)) {
    const folder = join(parent, name);
    const pidFile = join(folder, PID_FILE);
    if (!existsSync(pidFile)) continue;
    const pid = Number(readFileSync(pidFile, 'utf8'));
    if (workingFolder(pid) !== folder) continue;
    strays.push(name);
    process.kill(pid, 'SIGKILL');
    // It is not a child of this process, so no event reports its exit.
    while (workingFolder(pid) === folder) await sleep(5);
  }
  return strays;
}

/** The working folder of a process; undefined if it has exited. A reused pid has another folder. */
function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

/**
 * Ports that `freePort` has returned or tried, because a port stays free until its server listens, and while that
 * is down.
 */
const usedPorts = new Set<number>();

/**
 * A free port of 127.0.0.1 that this process has not used before. It is below the range of ephemeral ports: a
 * client that reconnects to a port of that range while its server is down can connect to itself, or occupy the
 * port.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = randomInt(15_000, 32_000);
    if (usedPorts.has(port)) continue;
    usedPorts.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error('found no free port between 15000 and 32000 in 50 tries');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
