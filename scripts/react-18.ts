// React 18, the oldest version that the hooks support, which their tests use besides the one in devDependencies.
import { cachedFolder, type Env, installPackages, type Packages } from './cached-packages.ts';

const PACKAGES: Packages = { react: '18.3.1', 'react-dom': '18.3.1' };

/** The folder of this version in the user's cache folder; undefined if there is none. */
export function react18Folder(env: Env): string | undefined {
  return cachedFolder(env, 'react-18', PACKAGES);
}

/**
 * Installs the version into the cache.
 * @throws Error if that fails.
 */
export function installReact18(env: Env = process.env): void {
  installPackages(env, 'react-18', PACKAGES);
}
