// The Lua scripts of src/, assembled: what a file includes is put in its place, once, and comments are left out.
//
// A script is a file of a folder `scripts/`; files in `scripts/shared/` are only included by others:
//   -- @include shared/write.lua      relative to the including file
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const INCLUDE = /^-- @include (\S+)$/;

/** A script's text with everything that it includes, each file once. */
export function assembleLua(file: string, included = new Set<string>()): string {
  included.add(file);
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const name = INCLUDE.exec(line)?.[1];
      if (name === undefined) return withoutComment(line);
      const path = join(dirname(file), name);
      return included.has(path) ? [] : assembleLua(path, included);
    });
  return lines.filter((line) => line.trim() !== '').join('\n');
}

/** @throws Error for long brackets, which may span lines: the scripts do without them. */
export function withoutComment(line: string): string {
  let quote: string | undefined;
  for (let i = 0; i < line.length; i += 1) {
    const char = line[i]!;
    if (quote !== undefined) {
      if (char === '\\') i += 1;
      else if (char === quote) quote = undefined;
    } else if (char === "'" || char === '"') {
      quote = char;
    } else if (/^(--)?\[=*\[/.test(line.slice(i))) {
      throw new Error(`long brackets are not supported: ${line}`);
    } else if (line.startsWith('--', i)) {
      return line.slice(0, i).trimEnd();
    }
  }
  return line;
}
