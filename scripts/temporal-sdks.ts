// Temporal's SDKs that the peer ranges of package.json accept besides the version in devDependencies, which is the newest:
// the oldest, and the one that @temporalio/ai-sdk requires. Their packages require each other in exactly their own
// version, so each version has a folder.
import { readFileSync } from 'node:fs';
import { cachedFolder, type Env, installPackages, type Packages } from './cached-packages.ts';

const VERSIONS = ['1.21.0', '1.23.0'];
const PACKAGES = ['activity', 'client', 'common', 'worker', 'workflow'];

const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

function packagesOf(version: string): Packages {
  const sdk = PACKAGES.map((name) => [`@temporalio/${name}`, version]);
  // As in a project that depends on execstream.
  return Object.fromEntries([...sdk, ['protobufjs', dependencies.protobufjs]]);
}

/** The folders of the versions in the user's cache folder; empty if there is none. */
export function temporalSdkFolders(env: Env): string[] {
  return VERSIONS.flatMap((version) => cachedFolder(env, 'temporal-sdks', packagesOf(version)) ?? []);
}

/**
 * Installs the versions into the cache.
 * @throws Error if that fails.
 */
export function installTemporalSdks(env: Env = process.env): void {
  for (const version of VERSIONS) installPackages(env, 'temporal-sdks', packagesOf(version));
}
