// The SDKs of models that the tests of the adapters use: several major versions of each, in our cache and not among our
// dependencies.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Packages by the names under which tests import them. */
const PACKAGES: Readonly<Record<string, string>> = {
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

type Env = Readonly<Record<string, string | undefined>>;

/** The folder of these versions in the user's cache folder; undefined if there is none. */
export function modelSdksFolder(env: Env): string | undefined {
  const cache = env.XDG_CACHE_HOME || (env.HOME && join(env.HOME, '.cache'));
  const digest = createHash('sha256').update(JSON.stringify(PACKAGES)).digest('hex').slice(0, 12);
  return cache && join(cache, 'execstream', `model-sdks-${digest}`);
}

/**
 * Installs the SDKs into the cache, with npm.
 * @throws Error if that fails.
 */
export function installModelSdks(env: Env = process.env): void {
  const folder = modelSdksFolder(env);
  if (!folder) throw new Error('Neither HOME nor XDG_CACHE_HOME is set: nowhere to store the model SDKs.');
  const parent = join(folder, '..');
  mkdirSync(parent, { recursive: true });
  // In another folder and then renamed, so that concurrent runs never see a partial installation.
  const temporary = mkdtempSync(join(parent, 'temporary-'));
  try {
    const manifest = { private: true, type: 'module', dependencies: PACKAGES };
    writeFileSync(join(temporary, 'package.json'), JSON.stringify(manifest, null, 2));
    // Their ranges of zod exclude each other, and their scripts are not needed.
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
      throw new Error(`The model SDKs were not installed: ${error?.message ?? `code ${status}`}`);
    if (!existsSync(folder)) renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
