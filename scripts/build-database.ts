// A step of `npm run build`: bundles Prisma's generated client with its runtime.
//
// The package @prisma/client is 72 MB, because its runtime has the query compilers of every database in two speeds; ours
// are the 5 MB of one for Postgres. The generated client also sets a global `__dirname`, which no process of a user
// should get from a library.
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

const GLOBAL = "globalThis['__dirname'] = path.dirname(fileURLToPath(import.meta.url))";

const withoutGlobal: Plugin = {
  name: 'without-global',
  setup({ onLoad }) {
    onLoad({ filter: /generated\/client\.ts$/ }, ({ path: file }) => {
      const text = readFileSync(file, 'utf8');
      if (!text.includes(GLOBAL)) throw new Error(`${file}: expected ${GLOBAL}`);
      return { contents: text.replace(GLOBAL, ''), loader: 'ts' };
    });
  },
};

/** The runtime is CommonJS, and ES modules have no `require`, with which it would load modules of Node. */
const importedBuiltins: Plugin = {
  name: 'imported-builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path: name, kind }) =>
      kind === 'require-call' ? { path: name, namespace: 'builtin' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path: name }) => ({
      contents: `export * from '${name}'; export { default } from '${name}';`,
    }));
  },
};

const folder = path('dist/execution/generated');
// What the compiler emitted; its types are Prisma's, which no type of the package needs.
rmSync(folder, { recursive: true });
await build({
  entryPoints: [path('src/execution/generated/client.ts')],
  outdir: folder,
  bundle: true,
  // The query compiler is loaded at the first connection.
  splitting: true,
  // With the names in stack traces.
  minifySyntax: true,
  minifyWhitespace: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  plugins: [withoutGlobal, importedBuiltins],
  legalComments: 'linked',
  logLevel: 'warning',
});
cpSync(path('node_modules/@prisma/client/LICENSE'), path('dist/execution/generated/LICENSE'));
