// Finds the test files that use a program: those that import its module of test/support/, directly or indirectly.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

// Only at the start of a line, where the last line of an import starts with its keyword or its closing brace; not
// in strings.
const RELATIVE_IMPORT = /^(?:import|export|\})[^'"\n]*['"](\.[^'"]+\.ts)['"]/gm;

/**
 * The test files under `testFolder` that use `support/<module>.ts`.
 * @returns their paths relative to `testFolder`, sorted.
 */
export function suitesUsing(module: string, testFolder: string): string[] {
  const target = resolve(testFolder, 'support', `${module}.ts`);
  const files = readdirSync(testFolder, { recursive: true, encoding: 'utf8' });
  const suites = files.filter((file) => file.endsWith('.test.ts')).sort();
  // Suites share most of what they import: each file is read once.
  const importsByFile = new Map<string, readonly string[]>();
  return suites.filter((suite) => reaches(resolve(testFolder, suite), target, importsByFile));
}

function reaches(start: string, target: string, importsByFile: Map<string, readonly string[]>): boolean {
  const seen = new Set([start]);
  // Iterating a set includes elements that are added during the iteration.
  for (const file of seen) {
    if (file === target) return true;
    let imports = importsByFile.get(file);
    if (!imports) {
      imports = importsOf(file);
      importsByFile.set(file, imports);
    }
    for (const imported of imports) seen.add(imported);
  }
  return false;
}

function importsOf(file: string): string[] {
  if (!existsSync(file)) return [];
  const imports = readFileSync(file, 'utf8').matchAll(RELATIVE_IMPORT);
  return [...imports].map((match) => join(dirname(file), match[1]!));
}
