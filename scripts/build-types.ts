// A step of `npm run build`: makes the type declarations fit for every consumer.
//
// They import `./x.js`: the compiler rewrites the imports of the code that it emits, but not those of declarations, which
// keep our `./x.ts`. And an optional peer that is not installed is no error, also with `skipLibCheck: false`: its types
// are `any` then.
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

for (const name of readdirSync(DIST, { recursive: true, encoding: 'utf8' })) {
  if (!name.endsWith('.d.ts')) continue;
  const file = join(DIST, name);
  const text = readFileSync(file, 'utf8');
  const rewritten = text.replace(RELATIVE, '$1$2.js').replace(PEER, '// @ts-ignore An optional peer.\n$&');
  if (rewritten !== text) writeFileSync(file, rewritten);
}
