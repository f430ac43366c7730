// Runs the `execstream` command to its end, for starts that fail.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compiledProgram } from '../support/compiled-program.ts';

export interface CommandEnd {
  /** The exit code, or the signal. */
  readonly ended: number | string;
  /** The message for the operator: the lines of stderr that are not log lines. */
  readonly message: string;
  readonly logged: readonly { readonly msg: string; readonly level: number }[];
}

/** Runs `execstream start` in an empty folder; kills it if it does not end within `timeoutMs`. */
export async function runStart(
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  timeoutMs = 60_000,
): Promise<CommandEnd> {
  const cwd = mkdtempSync(join(process.env.TEST_FOLDER ?? tmpdir(), 'start-'));
  const program = await compiledProgram('src/cli/main.ts');
  const child = spawn(
    process.execPath,
    [...program, 'start', ...args],
    // A separate group: a test that fails leaves no worker.
    { cwd, env: { PATH: process.env.PATH, HOME: cwd, PORT: '0', ...env }, detached: true, stdio: 'pipe' },
  );
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), timeoutMs);
  const [code, signal] = await once(child, 'close');
  clearTimeout(timer);
  rmSync(cwd, { recursive: true, force: true });
  const lines = stderr.split('\n').filter((line) => line !== '');
  return {
    ended: signal ?? code,
    message: lines.filter((line) => !line.startsWith('{')).join('\n'),
    logged: lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)),
  };
}
