// Packages that tests use in other versions than our dependencies: in the user's cache folder, installed with npm.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Versions, or `npm:` aliases, by the names under which tests import the packages. */
export type Packages = Readonly<Record<string, string>>;

export type Env = Readonly<Record<string, string | undefined>>;

/** The folder of these packages in the user's cache folder; undefined if there is none. */
export function cachedFolder(env: Env, name: string, packages: Packages): string | undefined {
  const cache = env.XDG_CACHE_HOME || (env.HOME && join(env.HOME, '.cache'));
  const digest = createHash('sha256').update(JSON.stringify(packages)).digest('hex').slice(0, 12);
  return cache && join(cache, 'execstream', `${name}-${digest}`);
}

/** Whether packages were installed into this folder. */
export function isInstalled(folder: string): boolean {
  return existsSync(join(folder, 'node_modules'));
}

/**
 * Installs packages into the cache, with npm, unless they are there.
 * @throws Error if that fails.
 */
export function installPackages(env: Env, name: string, packages: Packages): void {
  const folder = cachedFolder(env, name, packages);
  if (!folder) throw new Error(`Neither HOME nor XDG_CACHE_HOME is set: nowhere to store the ${name}.`);
  if (isInstalled(folder)) return;
  const parent = join(folder, '..');
  mkdirSync(parent, { recursive: true });
  // In another folder and then renamed, so that concurrent runs never see a partial installation.
  const temporary = mkdtempSync(join(parent, 'temporary-'));
  try {
    const manifest = { private: true, type: 'module', dependencies: packages };
    writeFileSync(join(temporary, 'package.json'), JSON.stringify(manifest, null, 2));
    // Ranges of their peers may exclude each other, and their scripts are not needed.
    const args = [
      'install',
      '--legacy-peer-deps',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--no-save',
    ];
    console.log(`$ npm ${args.join(' ')}`);
    const { status, error } = spawnSync('npm', args, { cwd: temporary, stdio: 'inherit' });
    if (status !== 0)
      throw new Error(`The ${name} were not installed: ${error?.message ?? `code ${status}`}`);
    if (!existsSync(folder)) renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
