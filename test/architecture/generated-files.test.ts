// Modules that are generated from other files and checked in: Lua scripts, migrations and the page of the console.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { outdatedFiles } from '../../scripts/generated-files.ts';

/** Texts with everything that has a meaning in a template literal. */
const SPECIAL = '\\n`$'.concat('{x}');
const SQL = `SELECT '${SPECIAL}';\n`;
const PAGE = `<p>${SPECIAL}</p>\n`;

test('the generated files are up to date (npm run codegen)', () => {
  expect(outdatedFiles(join(import.meta.dirname, '../..')).map(({ path }) => path)).toEqual([]);
});

describe('generating', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'generated-'));
    write('src/x/scripts/shared/part.lua', 'local part = 1\n');
    write('src/x/scripts/do-it.lua', "-- @include shared/part.lua\nreturn '`$' .. '{\\n'\n");
    write('prisma/migrations/2_b/migration.sql', SQL);
    write('prisma/migrations/1_a/migration.sql', 'SELECT 1;\n');
    write('prisma/migrations/migration_lock.toml', '');
    write('src/rest/console.html', PAGE);
    write('package.json', '{"version":"1.2.3"}');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function write(name: string, text: string): void {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }

  const evaluate = (text: string) =>
    new Function(text.replace(/^export const (\w+) =/m, 'return'))() as unknown;

  test('a module of Lua has the scripts, without shared parts', () => {
    const [lua] = outdatedFiles(folder);
    expect(lua!.path).toBe('src/x/scripts.gen.ts');
    expect(lua!.text).toContain('export const DO_IT = `');
    expect(evaluate(lua!.text)).toBe("\nlocal part = 1\nreturn '`$' .. '{\\n'\n");
  });

  test('the migrations are in order, each with the checksum of its file', () => {
    const [, migrations] = outdatedFiles(folder);
    expect(evaluate(migrations!.text)).toEqual([
      {
        name: '1_a',
        checksum: 'b4e0497804e46e0a0b0b8c31975b062152d551bac49c3c2e80932567b4085dcd',
        sql: 'SELECT 1;\n',
      },
      { name: '2_b', checksum: expect.stringMatching(/^[0-9a-f]{64}$/), sql: SQL },
    ]);
  });

  test('the page is carried unchanged', () => {
    expect(evaluate(outdatedFiles(folder)[2]!.text)).toBe(PAGE);
  });

  test('the version is that of the package', () => {
    expect(evaluate(outdatedFiles(folder)[3]!.text)).toBe('1.2.3');
  });

  test('a file that differs is reported', () => {
    for (const { path, text } of outdatedFiles(folder)) write(path, text);
    expect(outdatedFiles(folder)).toEqual([]);
    write('src/rest/console.html', '<p>new</p>\n');
    expect(outdatedFiles(folder).map(({ path }) => path)).toEqual(['src/rest/console-page.gen.ts']);
  });
});
