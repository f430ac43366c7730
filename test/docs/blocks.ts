// The fenced code blocks of documentation pages, for tests that run them. Commands are run as the page shows them, except
// for values that must differ in tests, such as ports and the address of Redis.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../support/wait.ts';

export const ROOT = join(import.meta.dirname, '../..');

export interface Block {
  /** The info string after the fence: `sh`, `ts`, … or ''. */
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks of a page, in order. */
export function blocksOf(path: string): Block[] {
  const page = readFileSync(join(ROOT, path), 'utf8');
  const fences = page.matchAll(/^```(\w*)\n([\s\S]*?)\n```$/gm);
  return [...fences].map(([, language, text]) => ({ language: language!, text: text! }));
}

/**
 * The only `sh` block of a page that contains a text, or ends with it.
 * @throws Error if there is not exactly one
 */
export function commandOf(path: string, part: string, atEnd = false): string {
  const has = (text: string) => (atEnd ? text.endsWith(part) : text.includes(part));
  const found = blocksOf(path).filter(({ language, text }) => language === 'sh' && has(text));
  if (found.length !== 1) throw new Error(`${found.length} commands of ${path} contain ${part}`);
  return found[0]!.text;
}

/**
 * The only block without a language that contains a text, or equals it: the output of a command.
 * @throws Error if there is not exactly one
 */
export function outputOf(path: string, part: string, isWhole = false): string {
  const has = (text: string) => (isWhole ? text === part : text.includes(part));
  const found = blocksOf(path).filter(({ language, text }) => language === '' && has(text));
  if (found.length !== 1) throw new Error(`${found.length} outputs of ${path} contain ${part}`);
  return found[0]!.text;
}

/**
 * Replaces all occurrences of each key with its value.
 * @throws Error if a key does not occur
 */
export function replaced(command: string, replacements: Readonly<Record<string, string>>): string {
  return Object.entries(replacements).reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`${from} is not in: ${text}`);
    return text.replaceAll(from, to);
  }, command);
}

export interface Command extends AsyncDisposable {
  readonly pid: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout and stderr, interleaved. */
  readonly printed: string;
  prints(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
  /** Resolves to the exit code, or -1 if a signal ended the process. */
  readonly exited: Promise<number>;
  /** Sends a signal to the process group and waits for the process to exit. */
  end(signal: NodeJS.Signals): Promise<number>;
}

/** Runs a shell command in the root of the repository, with additional environment variables. */
export function runCommand(command: string, env: Readonly<Record<string, string>> = {}): Command {
  const child: ChildProcess = spawn('bash', ['-c', command], {
    cwd: ROOT,
    // A separate process group, so that signals also reach the shell's child processes.
    detached: true,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr, printed] = ['', '', ''];
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    printed += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    printed += text;
  });
  let isOver = false;
  // 'close' instead of 'exit': all output has been read by then.
  const exited = new Promise<number>((resolve) =>
    child.once('close', (code) => {
      isOver = true;
      resolve(code ?? -1);
    }),
  );
  const end = (signal: NodeJS.Signals) => {
    if (!isOver) process.kill(-child.pid!, signal);
    return exited;
  };
  return {
    pid: child.pid!,
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    get printed() {
      return printed;
    },
    prints: (pattern, timeoutMs = 30_000) =>
      until(() => pattern.exec(printed), { what: `${pattern} in:\n${printed}`, timeoutMs }),
    exited,
    end,
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  };
}

/** Whether a program can be run with `--version`, which Python, Redis and Postgres support. */
export function hasProgram(name: string, env: NodeJS.ProcessEnv = process.env): boolean {
  return spawnSync(name, ['--version'], { env }).status === 0;
}
