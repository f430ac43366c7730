// Bundles the reducer (src/event/state.ts) for code that runs without a build: the console, and examples/sse-browser.
//
//   node --import tsx scripts/build-state.ts
//
// The output is checked in; a test fails if it is out of date.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';

const root = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const HEADER = 'Generated from src/event/state.ts by scripts/build-state.ts; do not edit.';

async function bundle(options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [root('src/event/state.ts')],
    absWorkingDir: root('.'),
    bundle: true,
    platform: 'browser',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'warning',
    ...options,
    write: false,
  });
  return outputFiles[0]!.text;
}

/** The generated files: path in the repository → content. */
export async function buildState(): Promise<Record<string, string>> {
  const script = await bundle({ format: 'iife', globalName: 'executionState', minify: true });
  const module = await bundle({ format: 'esm' });
  return {
    'src/rest/console-state.gen.ts': [
      `// ${HEADER}`,
      '/** A script that defines the global `executionState` with `initialState` and `reduce`. */',
      `export const CONSOLE_STATE = ${JSON.stringify(script)};`,
      '',
    ].join('\n'),
    'examples/sse-browser/state.gen.mjs': [
      `// ${HEADER}`,
      "// In a project of your own, import the same functions from 'execstream/state'.",
      module,
    ].join('\n'),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, content] of Object.entries(await buildState())) writeFileSync(root(path), content);
}
