// The web frameworks and runtimes of examples/embedding that are not devDependencies, because they are large.
import { cachedFolder, type Env, installPackages, type Packages } from './cached-packages.ts';

const PACKAGES: Packages = {
  '@nestjs/common': '12.5.1',
  '@nestjs/core': '12.5.1',
  '@nestjs/platform-express': '12.5.1',
  bun: '1.4.5',
  deno: '2.9.6',
  next: '16.4.6',
  react: '19.3.1',
  'react-dom': '19.3.1',
  'reflect-metadata': '0.2.2',
  rxjs: '7.8.2',
};

/** The folder of these packages in the user's cache folder; undefined if there is none. */
export function webFrameworksFolder(env: Env): string | undefined {
  return cachedFolder(env, 'web-frameworks', PACKAGES);
}

/**
 * Installs the frameworks into the cache.
 * @throws Error if that fails.
 */
export function installWebFrameworks(env: Env = process.env): void {
  installPackages(env, 'web-frameworks', PACKAGES);
}
