// The last step of `npm run build`: makes one small file of the entry execstream/workflow.
//
// Temporal bundles a workflow's code with all comments and a map of its sources in it, and each worker loads that
// bundle for its workflows. One file without either adds 8 KB of code; the files of src/workflow as they are, 44.
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ENTRY = fileURLToPath(new URL('../src/temporal/workflow/index.ts', import.meta.url));

/** Writes the entry, whole, as this file. */
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
    // So that lists that nobody reads are left out.
    pure: ['Object.keys'],
    legalComments: 'none',
    logLevel: 'warning',
  });
  // The compiler's, of the file that was there.
  rmSync(`${outfile}.map`, { force: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildWorkflowEntry(fileURLToPath(new URL('../dist/temporal/workflow/index.js', import.meta.url)));
}
