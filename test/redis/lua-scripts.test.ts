// The Lua scripts as they are generated from the .lua files.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { assembleLua, withoutComment } from '../../scripts/lua-scripts.ts';

describe('assembling', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lua-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function write(name: string, text: string): string {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  test('an included file is inserted once, at its first mention, without comments', () => {
    write('scripts/shared/a.lua', '-- a\nlocal a = 1\n');
    write('scripts/shared/b.lua', '-- @include a.lua\nlocal b = a\n');
    const script = write(
      'scripts/use.lua',
      '-- why\n-- @include shared/b.lua\n-- @include shared/a.lua\n\nreturn b -- why\n',
    );
    expect(assembleLua(script)).toBe('local a = 1\nlocal b = a\nreturn b');
  });

  test.each([
    ["local a = 'x -- y' -- z", "local a = 'x -- y'"],
    ['local a = "it\'s -- y"', 'local a = "it\'s -- y"'],
    ["local a = '\\'-- y'", "local a = '\\'-- y'"],
    ['-- all of it', ''],
    ['return t[1]', 'return t[1]'],
  ])('only the comment is removed from %j', (line, expected) => {
    expect(withoutComment(line)).toBe(expected);
  });

  test.each(['local a = [[', '--[[ a', '--[=[ a', 'a = [==[x'])('long brackets are rejected: %s', (line) => {
    expect(() => withoutComment(line)).toThrow('long brackets');
  });
});
