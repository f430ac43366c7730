// Programs that are compiled for tests: always the current sources, with their lines and their folders.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compiledProgram } from './compiled-program.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'execstream-program-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes a source that was last changed an hour ago, as most are. */
function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  const before = new Date(Date.now() - 3_600_000);
  utimesSync(path, before, before);
  return path;
}

async function run(entry: string) {
  const { stdout } = await promisify(execFile)(process.execPath, [...(await compiledProgram(entry)), 'now']);
  return stdout.trim();
}

test('a program is compiled again after a change of a source that it imports, and only then', async () => {
  const entry = write('entry.ts', `import { word } from './word.ts'; console.log(word, process.argv[2]);`);
  write('word.ts', `export const word: string = 'first';`);
  const [, first] = await compiledProgram(entry);
  expect(await run(entry)).toBe('first now');
  expect(await compiledProgram(entry)).toEqual(['--enable-source-maps', first]);
  write('word.ts', `export const word: string = 'other';`);
  expect(await run(entry)).toBe('other now');
  expect((await compiledProgram(entry))[1]).not.toBe(first);
});

test('a source that was written during the last moments is compiled each time', async () => {
  const entry = join(folder, 'entry.ts');
  writeFileSync(entry, `console.log('new');`);
  const [, first] = await compiledProgram(entry);
  expect(await run(entry)).toBe('new');
  expect((await compiledProgram(entry))[1]).not.toBe(first);
});

test('a source with an error fails the test that needs it', async () => {
  const entry = write('entry.ts', `import './missing.ts';`);
  await expect(compiledProgram(entry)).rejects.toThrow('Could not resolve "./missing.ts"');
});

test('stack traces have the lines of the sources, and modules their own folder and names', async () => {
  const entry = write('entry.ts', `import { show } from './show.ts';\nclass Same {}\nshow(Same);`);
  const show = [
    'interface Erased { readonly length: number }',
    'class Same implements Erased { length = 0 }',
    'export const show = (other: { name: string }) =>',
    '  console.log([import.meta.dirname, import.meta.url, Same.name, other.name, new Error("e").stack].join("\\n"));',
  ];
  write('show.ts', show.join('\n'));
  const [dirname, url, ...rest] = (await run(entry)).split('\n');
  expect([dirname, url]).toEqual([folder, `file://${folder}/show.ts`]);
  expect(rest.slice(0, 3)).toEqual(['Same', 'Same', 'Error: e']);
  expect(rest[3]).toContain(`${folder}/show.ts:4:`);
  expect(rest.join('\n')).toContain(`${folder}/entry.ts:3:`);
});
