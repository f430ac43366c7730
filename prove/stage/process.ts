// A child process of the run: its output goes to a file, and it never outlives the run.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Child {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Resolves when it has exited: with its code, or null if a signal ended it. */
  readonly exited: Promise<number | null>;
  readonly isRunning: boolean;
  /** Sends a signal and waits for the exit. */
  end(signal: NodeJS.Signals): Promise<void>;
}

const running = new Set<ChildProcess>();

// The last resort, however this process ends.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface ChildOptions {
  /** A compiled program (test/support/compiled-program.ts), and its arguments. */
  readonly run: readonly string[];
  /** Options of Node. */
  readonly node?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The file of its output. */
  readonly log: string;
  /** Whether to open an IPC channel. */
  readonly ipc?: boolean;
}

export function startChild({ run, node = [], env = {}, log, ipc = false }: ChildOptions): Child {
  const out = openSync(log, 'a');
  const child = spawn(process.execPath, [...node, ...run], {
    cwd: ROOT,
    // Ctrl-C must reach only this process, which ends the others in order.
    detached: true,
    stdio: ['ignore', out, out, ...(ipc ? ['ipc' as const] : [])],
    // Not the caller's environment: a stray DATABASE_URL must not be written to.
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: 'production', ...env },
  });
  closeSync(out);
  running.add(child);
  let isRunning = true;
  const exited = new Promise<number | null>((resolve) => {
    const ended = (code: number | null): void => {
      running.delete(child);
      isRunning = false;
      resolve(code);
    };
    child.once('exit', ended);
    child.once('error', () => ended(null));
  });
  return {
    process: child,
    pid: child.pid!,
    exited,
    get isRunning() {
      return isRunning;
    },
    async end(signal) {
      if (isRunning) child.kill(signal);
      await exited;
    },
  };
}
