// Programs of this checkout as tests run them: compiled with the sources that they import into a few files. The loader of
// the documented commands transforms and resolves each module in each process, which takes three times the CPU time of
// the start (decision 0064).
//
//   spawn(process.execPath, [...(await compiledProgram('src/cli/main.ts')), 'start'])
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'esbuild';
import { ROOT, sharedBuild } from './shared-builds.ts';

const DATABASE = join(ROOT, 'src/execution/database');

/**
 * Node's arguments for a program. Its stack traces have the lines of the sources.
 * @param entry a TypeScript file, relative to the root of the repository
 */
export async function compiledProgram(entry: string): Promise<readonly string[]> {
  const folder = await sharedBuild(`program ${entry}`, (empty) => compile(entry, empty));
  return ['--enable-source-maps', join(folder, 'program.js')];
}

/** @returns the files that were compiled */
async function compile(entry: string, outdir: string): Promise<string[]> {
  // Loaded only by the process that builds.
  const { build } = await import('esbuild');
  const { metafile } = await build({
    absWorkingDir: ROOT,
    // The thread of the embedded database is a program too, which the server starts from the folder of its code.
    entryPoints: { program: resolve(ROOT, entry), 'pglite-worker': join(DATABASE, 'pglite-worker.ts') },
    outdir,
    bundle: true,
    packages: 'external',
    // Commands load only what they need, as they do from the sources.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    keepNames: true,
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'silent',
    metafile: true,
    plugins: [sourceUrls],
  });
  writeFileSync(join(outdir, 'package.json'), '{ "type": "module" }');
  const inputs = Object.keys(metafile.inputs).map((path) => resolve(ROOT, path));
  return [import.meta.filename, join(ROOT, 'tsconfig.json'), ...inputs];
}

/** Modules keep the URLs of their sources, next to which they find other files. */
const sourceUrls: Plugin = {
  name: 'source-urls',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      // It starts the thread of the embedded database.
      if (path === join(DATABASE, 'pglite-thread.ts')) return undefined;
      const contents = readFileSync(path, 'utf8')
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
        .replaceAll('import.meta.filename', JSON.stringify(path))
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)));
      return { contents, loader: 'ts' };
    });
  },
};
