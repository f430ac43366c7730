// The demo as a separate process, as users run it: its output, and how it exits.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compiledProgram } from '../support/compiled-program.ts';
import { ROOT } from '../support/shared-builds.ts';
import { until } from '../support/wait.ts';

export interface Demo {
  /** All output so far, on both streams. */
  readonly printed: () => string;
  /** Waits for output that matches. Returns the match. */
  prints(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
  /** The exit code; -1 if a signal ended the process. */
  readonly exited: Promise<number>;
  /** Sends a signal and waits for the exit. */
  end(signal: NodeJS.Signals): Promise<number>;
  /** Kills the process if it is running, and removes its files. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface DemoOptions {
  readonly env?: Record<string, string>;
  /** @default a temporary folder */
  readonly dataDir?: string;
}

/** Starts the demo on a free port, with an embedded database. */
export async function startDemo(args: readonly string[], { env, dataDir }: DemoOptions = {}): Promise<Demo> {
  const program = await compiledProgram('examples/demo/start.ts');
  const folder = mkdtempSync(join(tmpdir(), 'execstream-demo-'));
  const child: ChildProcess = spawn(process.execPath, [...program, ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, PORT: '0', DATA_DIR: dataDir ?? join(folder, 'data'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk;
    });
  }
  // 'close' instead of 'exit': all output has been read by then.
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
