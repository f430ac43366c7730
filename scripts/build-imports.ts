// A step of `npm run build`: makes what the compiler emitted fit for every consumer.
//
// - Declarations import `./x.js`: the compiler rewrites the imports of code, but keeps our `./x.ts` in declarations.
// - An optional peer that is not installed is no error in them, also with `skipLibCheck: false`: its types are `any` then.
// - An `import()` of a variable is what it was in the source. The compiler passes the name to a helper that would rewrite
//   relative paths, and hides comments for bundlers.
// - Helpers of the compiler are defined without a check of `this`, which modules do not have. Bundlers warn about it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(ROOT, 'dist');
const RELATIVE = /(\bfrom '|\bimport\("|\bimport ')(\.{1,2}\/[^'"]+)\.ts(?=['"])/g;

const { peerDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  peerDependencies: Record<string, string>;
};
// Of the packages that are cut (scripts/packages.ts), others are optional, too.
const optional = [...Object.keys(peerDependencies), '@temporalio/proto', 'graphql-sse'];
const PEER = new RegExp(`^(?:import|export) .* from '(?:${optional.join('|')})(?:/[^']*)?';$`, 'gm');

const HELPER = '__rewriteRelativeImportExtension';
const HELPER_FUNCTION = new RegExp(`^var ${HELPER} = [^]*?^};\\n`, 'm');
const HELPER_CALL = new RegExp(`import\\(${HELPER}\\(([^)]*)\\)\\)`, 'g');

for (const name of readdirSync(DIST, { recursive: true, encoding: 'utf8' })) {
  const rewrite = name.endsWith('.d.ts')
    ? rewriteDeclaration
    : name.endsWith('.js')
      ? rewriteCode
      : undefined;
  if (!rewrite) continue;
  const file = join(DIST, name);
  const text = readFileSync(file, 'utf8');
  const rewritten = rewrite(text);
  if (rewritten.includes(HELPER)) throw new Error(`${name}: expected no ${HELPER}`);
  if (rewritten !== text) writeFileSync(file, rewritten);
}

function rewriteDeclaration(text: string): string {
  return text.replace(RELATIVE, '$1$2.js').replace(PEER, '// @ts-ignore An optional peer.\n$&');
}

function rewriteCode(text: string): string {
  return text
    .replace(HELPER_FUNCTION, '')
    .replace(HELPER_CALL, 'import($1)')
    .replace(/^(var (__\w+) = )\(this && this\.\2\) \|\| /gm, '$1');
}
