// Temporal's SDKs that the peer ranges of package.json accept besides the version in devDependencies, which is the newest:
// the oldest, and the one that @temporalio/ai-sdk requires, which has that package and Workflow Streams as well. The
// packages require each other in exactly their own version, so each version has a folder.
import { readFileSync } from 'node:fs';
import { cachedFolder, type Env, installPackages, type Packages } from './cached-packages.ts';

const STREAMS_VERSION = '1.23.0';
const VERSIONS = ['1.21.0', STREAMS_VERSION];
/** Workflow Streams, the plugin for the AI SDK, which publishes into them, and the peers of that. */
const STREAMS: Packages = {
  '@temporalio/workflow-streams': STREAMS_VERSION,
  '@temporalio/ai-sdk': STREAMS_VERSION,
  '@ai-sdk/mcp': '2.0.99',
  '@ai-sdk/provider': '4.0.38',
  ai: '7.0.173',
  zod: '4.6.7',
};
const PACKAGES = ['activity', 'client', 'common', 'worker', 'workflow'];

const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

function packagesOf(version: string): Packages {
  const sdk = PACKAGES.map((name) => [`@temporalio/${name}`, version]);
  // As in a project that depends on execstream.
  const packages = Object.fromEntries([...sdk, ['protobufjs', dependencies.protobufjs]]);
  return version === STREAMS_VERSION ? { ...packages, ...STREAMS } : packages;
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
