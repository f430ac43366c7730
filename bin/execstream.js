#!/usr/bin/env node
// The `execstream` command. A checkout runs its sources, so that it needs no build and never runs an outdated one; the
// package, and a checkout without development dependencies, run the build.
import { existsSync } from 'node:fs';

const sources = new URL('../src/cli/main.ts', import.meta.url);
const build = new URL('../dist/cli/main.js', import.meta.url);

if (existsSync(sources) && (await loadTypeScript())) {
  await import(sources.href);
} else if (existsSync(build)) {
  await import(build.href);
} else {
  process.stderr.write(
    'execstream: there is no build; run "npm ci" with its development dependencies, or "npm run build"\n',
  );
  process.exitCode = 1;
}

/** Returns false if the loader is not installed. */
async function loadTypeScript() {
  try {
    const { register } = await import('tsx/esm/api');
    register();
    return true;
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return false;
    throw error;
  }
}
