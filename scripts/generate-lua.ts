// Writes the Lua scripts of src/ into a `scripts.gen.ts` beside each `scripts/` folder, so that nothing is read at run
// time: a bundler carries text along, but not files.
//
//   node --import tsx scripts/generate-lua.ts            after each change of a .lua file
//   node --import tsx scripts/generate-lua.ts --check    fails if a generated file is out of date
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { outdatedFiles } from './lua-scripts.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const outdated = outdatedFiles(join(ROOT, 'src'));
if (process.argv.includes('--check')) {
  for (const { path } of outdated)
    console.error(`${path} is out of date: node --import tsx scripts/generate-lua.ts`);
  process.exitCode = outdated.length > 0 ? 1 : 0;
} else {
  for (const { path, text } of outdated) writeFileSync(path, text);
}
