// Temporal's Python SDK for the test of the Python example: a virtual environment in our cache.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const VERSION = '1.35.0';

type Env = Readonly<Record<string, string | undefined>>;

/** The folder of the virtual environment in the user's cache folder; undefined if there is none. */
export function temporalPythonFolder(env: Env): string | undefined {
  const cache = env.XDG_CACHE_HOME || (env.HOME && join(env.HOME, '.cache'));
  return cache && join(cache, 'execstream', `temporal-python-${VERSION}`);
}

/** The interpreter of a virtual environment, which imports the SDK; undefined if it is not installed completely. */
export function findTemporalPython(folder: string): string | undefined {
  const python = join(folder, 'bin/python');
  return existsSync(python) && existsSync(join(folder, 'complete')) ? python : undefined;
}

/**
 * Creates the virtual environment and installs the SDK, with pip.
 * @throws Error if that fails.
 */
export function installTemporalPython(env: Env = process.env): void {
  const folder = temporalPythonFolder(env);
  if (!folder)
    throw new Error("Neither HOME nor XDG_CACHE_HOME is set: nowhere to store Temporal's Python SDK.");
  // Environments cannot be renamed: the file `complete` marks one that is installed.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  run('python3', ['-m', 'venv', folder]);
  run(join(folder, 'bin/python'), ['-m', 'pip', 'install', '--quiet', `temporalio==${VERSION}`]);
  mkdirSync(join(folder, 'complete'));
}

function run(program: string, args: readonly string[]): void {
  console.log(`$ ${program} ${args.join(' ')}`);
  const { status, error } = spawnSync(program, args, { stdio: 'inherit' });
  if (status !== 0)
    throw new Error(`Temporal's Python SDK was not installed: ${error?.message ?? `code ${status}`}`);
}
