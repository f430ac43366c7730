// Rollup, with the plugins of most projects, for the tests of our packages. The other bundlers are devDependencies, or in
// web-frameworks.ts.
import { cachedFolder, type Env, installPackages, type Packages } from './cached-packages.ts';

const PACKAGES: Packages = {
  '@rollup/plugin-commonjs': '29.0.3',
  '@rollup/plugin-json': '6.1.0',
  '@rollup/plugin-node-resolve': '16.0.3',
  rollup: '4.68.8',
};

/** The folder of these packages in the user's cache folder; undefined if there is none. */
export function bundlersFolder(env: Env): string | undefined {
  return cachedFolder(env, 'bundlers', PACKAGES);
}

/**
 * Installs them into the cache.
 * @throws Error if that fails.
 */
export function installBundlers(env: Env = process.env): void {
  installPackages(env, 'bundlers', PACKAGES);
}
