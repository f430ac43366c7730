// What the manifest and the lock file say about the packages that are installed with ours.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

interface Entry {
  version: string;
  dev?: true;
  devOptional?: true;
  peer?: true;
  hasInstallScript?: true;
  dependencies?: Record<string, string>;
}

export const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};
export const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Entry>;
};

/** The paths of the packages that are installed with ours. */
export const installed = Object.entries(lock.packages)
  .filter(([path, { dev, devOptional, peer }]) => path !== '' && !dev && !devOptional && !peer)
  .map(([path]) => path);
export const nameOf = (path: string) => path.replace(/^.*node_modules\//, '');

/** These packages and everything that they depend on, by the lock file. */
export function withDependencies(names: readonly string[]): Set<string> {
  const found = new Set(names);
  // Iterating a set includes elements that are added during the iteration.
  for (const name of found) {
    const entry = lock.packages[`node_modules/${name}`];
    if (!entry) throw new Error(`${name}: not in the lock file`);
    for (const dependency of Object.keys(entry.dependencies ?? {})) found.add(dependency);
  }
  return found;
}
