// Starts a server program for the tests, waits for the line that says it is ready, and is sure to end it.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a server program is started. */
export interface ServerOptions {
  command: string;
  args: readonly string[];
  /** The folder it runs in. Its pid is written there, so that `endStrays` finds it. */
  folder: string;
  /** What it prints, on either stream, once it answers. */
  ready: RegExp;
  /** The user to run it as; ours if absent. */
  user?: { uid: number; gid: number };
  /** Default 30 s. */
  timeoutMs?: number;
  /** Is given all that it prints, on either stream, for as long as it lives. */
  onPrinted?: (chunk: Buffer) => void;
}

/** A server program that runs. */
export interface RunningServer {
  readonly pid: number;
  /** Settles when the process has ended, for whatever reason, and tells it: the signal or the code. */
  readonly exited: Promise<string>;
  /** Sends a signal and waits for the end. Harmless where it has ended already. */
  end(signal: NodeJS.Signals): Promise<void>;
}

const PID_FILE = 'server.pid';
const running = new Set<ChildProcess>();

// The last net: a test process that ends without its clean-up takes its servers with it.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts a server program and resolves when it is ready.
 * @throws Error with all that it printed, if it ends or stays silent instead.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { command, args, folder, ready, user, timeoutMs = 30_000, onPrinted } = options;
  const child = spawn(command, args, {
    cwd: folder,
    // In a process group of its own, so that Ctrl-C in a terminal reaches the runner alone, which ends it last.
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
    let printed = '';
    let isReady = false;
    const fail = (why: string) => {
      clearTimeout(timer);
      reject(new Error(`${command} ${why}\n${printed}`));
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`was not ready within ${timeoutMs} ms; it printed:`);
    }, timeoutMs);
    const read = (chunk: Buffer) => {
      onPrinted?.(chunk);
      // Read on for as long as it lives: a full pipe would stop the server.
      if (isReady) return;
      printed += chunk;
      if (!ready.test(printed)) return;
      isReady = true;
      clearTimeout(timer);
      resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', (error) => fail(`could not be started: ${error.message}`));
    // 'close' and not 'exit': by then all that it printed has been read.
    child.once('close', (code, signal) => fail(`ended with ${signal ?? `code ${code}`}; it printed:`));
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
 * Ends the servers that test processes left running in folders under `parent`, and waits until they are gone: a test
 * process that was killed could not do so itself.
 * @returns the names of the folders whose server was still there.
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
    // Not our child, so nothing tells us of its end.
    while (workingFolder(pid) === folder) await sleep(5);
  }
  return strays;
}

/** Where a process runs; undefined where it is gone. A pid that another program has by now runs elsewhere. */
function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

/** What `freePort` has tried: a port stays free until its server takes it, and becomes free while that is down. */
const given = new Set<number>();

/**
 * A port of 127.0.0.1 that is free now, and that this process was not given before. Below the range that systems give
 * to outgoing connections: a client that reconnects to a port of that range while its server is down can connect to
 * itself, or take the port.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = randomInt(15_000, 32_000);
    if (given.has(port)) continue;
    given.add(port);
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
