// The demo as its users have it: a process of its own, what it prints, and how it ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../support/wait.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface Demo {
  /** What it has printed so far, on both streams. */
  readonly printed: () => string;
  /** Waits for something that it prints, and gives the match. */
  prints(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
  /** Its exit code, once it has ended; -1 where a signal ended it. */
  readonly exited: Promise<number>;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<number>;
  /** Kills it if it still runs, and removes its files. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface DemoOptions {
  readonly env?: Record<string, string>;
  /** By default a folder of its own. */
  readonly dataDir?: string;
}

/** Starts the demo on a free port, with an embedded database. */
export function startDemo(args: readonly string[], { env, dataDir }: DemoOptions = {}): Demo {
  const folder = mkdtempSync(join(tmpdir(), 'execstream-demo-'));
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', 'examples/demo/start.ts', ...args],
    {
      cwd: ROOT,
      env: { PATH: process.env.PATH, PORT: '0', DATA_DIR: dataDir ?? join(folder, 'data'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let printed = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk;
    });
  }
  // 'close' and not 'exit': by then all that it printed has been read.
  const exited = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));

  return {
    printed: () => printed,
    prints: (pattern, timeoutMs = 30_000) =>
      until(() => pattern.exec(printed), { what: `${pattern} in:\n${printed}`, timeoutMs }),
    exited,
    end(signal) {
      child.kill(signal);
      return exited;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
