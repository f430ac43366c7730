// A page's blocks as a test runs them: each command taken from the page word for word, but for what a machine where
// many tests run must have otherwise (ports, the address of Redis).
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../support/wait.ts';

export const ROOT = join(import.meta.dirname, '../..');

export interface Block {
  /** What stands behind the fence: `sh`, `ts`, … or ''. */
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks of a page, in order. */
export function blocksOf(path: string): Block[] {
  const page = readFileSync(join(ROOT, path), 'utf8');
  const fences = page.matchAll(/^```(\w*)\n([\s\S]*?)\n```$/gm);
  return [...fences].map(([, language, text]) => ({ language: language!, text: text! }));
}

/** The one command of a page that contains this, or ends with it. */
export function commandOf(path: string, part: string, atEnd = false): string {
  const has = (text: string) => (atEnd ? text.endsWith(part) : text.includes(part));
  const found = blocksOf(path).filter(({ language, text }) => language === 'sh' && has(text));
  if (found.length !== 1) throw new Error(`${found.length} commands of ${path} contain ${part}`);
  return found[0]!.text;
}

/** The one block without a language of a page that contains this: something that is printed. */
export function outputOf(path: string, part: string, isWhole = false): string {
  const has = (text: string) => (isWhole ? text === part : text.includes(part));
  const found = blocksOf(path).filter(({ language, text }) => language === '' && has(text));
  if (found.length !== 1) throw new Error(`${found.length} outputs of ${path} contain ${part}`);
  return found[0]!.text;
}

/** Replaces each of the strings; every one must be there. */
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
  /** Both, as they came. */
  readonly printed: string;
  prints(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
  /** Its exit code; -1 where a signal ended it. */
  readonly exited: Promise<number>;
  /** Sends a signal to it and all that it has started, and waits for the end. */
  end(signal: NodeJS.Signals): Promise<number>;
}

/** Runs a command in a shell, in the repository's folder, with this environment added. */
export function runCommand(command: string, env: Readonly<Record<string, string>> = {}): Command {
  const child: ChildProcess = spawn('bash', ['-c', command], {
    cwd: ROOT,
    // In a process group of its own, so that a signal reaches what the shell has started.
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
  // 'close' and not 'exit': by then all that it printed has been read.
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

/** Whether a program answers to `--version`, which those of Python, Redis and Postgres do. */
export function hasProgram(name: string, env: NodeJS.ProcessEnv = process.env): boolean {
  return spawnSync(name, ['--version'], { env }).status === 0;
}
