// Checks the files of src/ against the floors and other rules that depend only on a file's text and imports.
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { CONFIG_FILE, FLOORS, FORBIDDEN_TO_ENTRIES, MAX_LINES, SCHEMA_FILE, WITHOUT_NODE } from './floors.ts';
import { type Import, importsOf, withoutComments } from './scan.ts';

/** The text of each file of src/, by its relative path: `{ 'event/cursor.ts': '…' }`. */
export type Sources = Readonly<Record<string, string>>;

interface Edge extends Import {
  /** The path of the imported file; undefined for a package. */
  target: string | undefined;
}

type Graph = ReadonlyMap<string, readonly Edge[]>;

/**
 * Checks all rules.
 * @returns one line per violation, starting with the file; empty if there are none.
 */
export function violations(sources: Sources): string[] {
  const graph = graphOf(sources);
  return [
    ...floorViolations(graph),
    ...cycles(graph),
    ...nodeViolations(graph),
    ...zodViolations(graph),
    ...entryViolations(graph),
    ...textViolations(sources),
  ].sort();
}

function graphOf(sources: Sources): Graph {
  const files = Object.entries(sources);
  return new Map(
    files.map(([file, source]) => [
      file,
      importsOf(source).map((found) => ({ ...found, target: resolve(file, found.specifier) })),
    ]),
  );
}

function resolve(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  // A generated file may import the .js file that its target compiles to.
  return posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts');
}

/**
 * The folder of src/ that determines a file's floor; undefined for an entry of the package, which is in src/
 * itself.
 */
function folderOf(file: string): string | undefined {
  const [top, sub, rest] = file.split('/');
  if (sub === undefined) return undefined;
  const nested = `${top}/${sub}`;
  return rest !== undefined && FLOORS[nested] !== undefined ? nested : top;
}

function isGenerated(file: string): boolean {
  return /(^|\/)generated\//.test(file) || file.endsWith('.gen.ts');
}

function floorViolations(graph: Graph): string[] {
  const found: string[] = [];
  for (const [file, edges] of graph) {
    const folder = folderOf(file);
    if (folder !== undefined && FLOORS[folder] === undefined) found.push(`${file}: ${folder}/ has no floor`);
    for (const { target, specifier } of edges) {
      if (specifier === 'execstream' || specifier.startsWith('execstream/')) {
        found.push(`${file}: imports its own package by name`);
      }
      const why = target === undefined ? undefined : reasonAgainst(folder, target);
      if (why) found.push(`${file}: imports ${target}, ${why}`);
    }
  }
  return found;
}

/** Why a file of this folder may not import the target. Entries, which have no folder, are above all floors. */
function reasonAgainst(folder: string | undefined, target: string): string | undefined {
  const targetFolder = folderOf(target);
  if (target.startsWith('..')) return 'outside src/';
  if (targetFolder === undefined) return folder && 'an entry of the package';
  if (folder === undefined || folder === targetFolder) return undefined;
  const own = FLOORS[folder] ?? 0;
  const other = FLOORS[targetFolder] ?? 0;
  if (other > own) return `up from floor ${own} to ${other}`;
  if (other === own) return `sideways on floor ${own}`;
  return undefined;
}

/** Every cycle once, from its first file. Imports of types count, because they also couple the files. */
function cycles(graph: Graph): string[] {
  const found: string[] = [];
  const visited = new Set<string>();
  const visit = (file: string, path: readonly string[]) => {
    const start = path.indexOf(file);
    if (start >= 0) {
      found.push(`${file}: import cycle: ${[...path.slice(start), file].join(' → ')}`);
      return;
    }
    if (visited.has(file)) return;
    for (const target of new Set(graph.get(file)?.map((edge) => edge.target))) {
      if (target !== undefined) visit(target, [...path, file]);
    }
    visited.add(file);
  };
  for (const file of graph.keys()) {
    // Imports of generated code are the generator's choice.
    if (!isGenerated(file)) visit(file, []);
  }
  return found.filter((violation) => !isGenerated(violation.slice(0, violation.indexOf(':'))));
}

function nodeViolations(graph: Graph): string[] {
  const found: string[] = [];
  for (const [file, edges] of graph) {
    if (!WITHOUT_NODE.includes(folderOf(file) ?? '')) continue;
    for (const { specifier, target } of edges) {
      if (target === undefined && isBuiltin(specifier)) {
        found.push(`${file}: imports ${specifier}, but this folder runs without Node's modules`);
      }
    }
  }
  return found;
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

function zodViolations(graph: Graph): string[] {
  const found: string[] = [];
  for (const [file, edges] of graph) {
    if (!WITHOUT_NODE.includes(folderOf(file) ?? '') || file === SCHEMA_FILE) continue;
    for (const { specifier, target } of edges) {
      if (/^zod(\/|$)/.test(specifier))
        found.push(`${file}: imports ${specifier}, which is reserved for ${SCHEMA_FILE}`);
      else if (target === SCHEMA_FILE) found.push(`${file}: imports ${SCHEMA_FILE}, and zod with it`);
      else if (target === undefined && folderOf(file) === 'event' && !isBuiltin(specifier)) {
        found.push(`${file}: imports ${specifier}, but event/ has no dependencies`);
      }
    }
  }
  return found;
}

function entryViolations(graph: Graph): string[] {
  return Object.entries(FORBIDDEN_TO_ENTRIES).flatMap(([entry, forbidden]) => {
    const loaded = new Map<string, string>();
    load(graph, entry, new Set(), loaded);
    return [...loaded]
      .filter(([specifier]) => forbidden.test(specifier))
      .map(([specifier, file]) => `${entry}: loads ${specifier}, through ${file}`);
  });
}

/**
 * Fills `loaded` with the packages that are loaded at run time along with a file, and the file that imports each.
 */
function load(graph: Graph, file: string, seen: Set<string>, loaded: Map<string, string>): void {
  if (seen.has(file)) return;
  seen.add(file);
  for (const { specifier, target, typeOnly } of graph.get(file) ?? []) {
    if (typeOnly) continue;
    if (target === undefined) loaded.set(specifier, file);
    else load(graph, target, seen, loaded);
  }
}

function textViolations(sources: Sources): string[] {
  const found: string[] = [];
  for (const [file, source] of Object.entries(sources)) {
    if (isGenerated(file)) continue;
    const code = withoutComments(source);
    if (file !== CONFIG_FILE && READS_ENV.test(code)) {
      found.push(`${file}: reads the environment, which is reserved for ${CONFIG_FILE}`);
    }
    if (/\bNODE_ENV\b/.test(code)) found.push(`${file}: uses NODE_ENV, on which no behaviour may depend`);
    const lines = source.trimEnd().split('\n').length;
    if (lines > MAX_LINES) found.push(`${file}: ${lines} lines, more than ${MAX_LINES}; split it`);
  }
  return found;
}

// `process.env`, `process?.env`, `process['env']`, `const { env } = process`, `import { env } from 'node:process'`.
const READS_ENV =
  /\bprocess\s*\??\.?\s*(?:\[\s*['"`]env['"`]|(?<=\.\s*)env\b)|\benv\b[^;{}]*\}\s*(?:=\s*process\b|from\s*['"](?:node:)?process['"])/;
