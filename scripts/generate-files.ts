// Writes what the server would otherwise read from files at run time into modules, because a bundler carries text along,
// but not files: the Lua scripts of src/ into a `scripts.gen.ts` beside each `scripts/` folder, and the migrations, the
// page of the console and the version into one module each.
//
//   node --import tsx scripts/generate-files.ts            after each change of one of those files
//   node --import tsx scripts/generate-files.ts --check    fails if a generated file is out of date
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { outdatedFiles } from './generated-files.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const outdated = outdatedFiles(ROOT);
if (process.argv.includes('--check')) {
  for (const { path } of outdated)
    console.error(`${path} is out of date: node --import tsx scripts/generate-files.ts`);
  process.exitCode = outdated.length > 0 ? 1 : 0;
} else {
  for (const { path, text } of outdated) writeFileSync(join(ROOT, path), text);
}
