// The last step of `npm run build`: bundles the entry execstream/workflow into one small file.
//
// Temporal bundles a workflow's code with all comments and a source map, and each worker loads that bundle for its
// workflows. One file without comments and a source map adds 10 KB of code; the separate files of
// src/temporal/workflow add 44 KB.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ENTRY = fileURLToPath(new URL('../src/temporal/workflow/index.ts', import.meta.url));

/** Bundles the entry into this file. */
export async function buildWorkflowEntry(outfile: string): Promise<void> {
  await build({
    entryPoints: [ENTRY],
    outfile,
    allowOverwrite: true,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    external: ['@temporalio/workflow'],
    // Lets the bundler remove unused lists.
    pure: ['Object.keys'],
    legalComments: 'none',
    logLevel: 'warning',
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildWorkflowEntry(fileURLToPath(new URL('../dist/temporal/workflow/index.js', import.meta.url)));
}
