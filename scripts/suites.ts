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
  return suites.filter((suite) => reaches(resolve(testFolder, suite), target, new Set()));
}

function reaches(file: string, target: string, seen: Set<string>): boolean {
  if (file === target) return true;
  if (seen.has(file) || !existsSync(file)) return false;
  seen.add(file);
  const imports = readFileSync(file, 'utf8').matchAll(RELATIVE_IMPORT);
  return [...imports].some((match) => reaches(join(dirname(file), match[1]!), target, seen));
}
