// The SDKs of models that the tests of the adapters use: several major versions of each.
import { cachedFolder, type Env, installPackages, type Packages } from './cached-packages.ts';

const PACKAGES: Packages = {
  'ai-5': 'npm:ai@5.0.277',
  'ai-6': 'npm:ai@6.0.326',
  'ai-7': 'npm:ai@7.0.173',
  'ai-5-openai': 'npm:@ai-sdk/openai@2.0.131',
  'ai-6-openai': 'npm:@ai-sdk/openai@3.0.141',
  'ai-7-openai': 'npm:@ai-sdk/openai@4.0.118',
  'openai-5': 'npm:openai@5.23.2',
  'openai-6': 'npm:openai@6.49.0',
  'openai-7': 'npm:openai@7.59.0',
  'anthropic-0': 'npm:@anthropic-ai/sdk@0.137.0',
  'anthropic-1': 'npm:@anthropic-ai/sdk@1.14.0',
  zod: '4.6.7',
};

/** The folder of these versions in the user's cache folder; undefined if there is none. */
export function modelSdksFolder(env: Env): string | undefined {
  return cachedFolder(env, 'model-sdks', PACKAGES);
}

/**
 * Installs the SDKs into the cache.
 * @throws Error if that fails.
 */
export function installModelSdks(env: Env = process.env): void {
  installPackages(env, 'model-sdks', PACKAGES);
}
