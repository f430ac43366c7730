// Checks the files of src/ against the floors and the other rules that one file's text and its imports can show.
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { CONFIG_FILE, FLOORS, FORBIDDEN_TO_ENTRIES, MAX_LINES, SCHEMA_FILE, WITHOUT_NODE } from './floors.ts';
import { type Import, importsOf, withoutComments } from './scan.ts';

/** The text of each file of src/, by its path from there: `{ 'event/cursor.ts': '…' }`. */
export type Sources = Readonly<Record<string, string>>;

interface Edge extends Import {
  /** The path of the file that is imported; undefined where it is a package. */
  target: string | undefined;
}

type Graph = ReadonlyMap<string, readonly Edge[]>;

/**
 * Checks every rule.
 * @returns a line for each breach, beginning with the file that commits it; empty where all is well.
 */
export function breaches(sources: Sources): string[] {
  const graph = graphOf(sources);
  return [
    ...floorBreaches(graph),
    ...circles(graph),
    ...nodeBreaches(graph),
    ...zodBreaches(graph),
    ...entryBreaches(graph),
    ...textBreaches(sources),
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
  // A generated file may name the .js that it becomes.
  return posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts');
}

/** The folder of src/ that gives a file its floor; undefined for an entry of the package, which lies in src/ itself. */
function folderOf(file: string): string | undefined {
  const [top, sub, rest] = file.split('/');
  if (sub === undefined) return undefined;
  const nested = `${top}/${sub}`;
  return rest !== undefined && FLOORS[nested] !== undefined ? nested : top;
}

function isGenerated(file: string): boolean {
  return /(^|\/)generated\//.test(file) || file.endsWith('.gen.ts');
}

function floorBreaches(graph: Graph): string[] {
  const found: string[] = [];
  for (const [file, edges] of graph) {
    const folder = folderOf(file);
    if (folder !== undefined && FLOORS[folder] === undefined) found.push(`${file}: ${folder}/ has no floor`);
    for (const { target, specifier } of edges) {
      if (specifier === 'execstream' || specifier.startsWith('execstream/')) {
        found.push(`${file}: imports its own package by name`);
      }
      const why = target === undefined ? undefined : whyNot(folder, target);
      if (why) found.push(`${file}: imports ${target}, ${why}`);
    }
  }
  return found;
}

/** Why a file of this folder may not import that target. Entries, which have no folder, stand above all floors. */
function whyNot(folder: string | undefined, target: string): string | undefined {
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

/** Every circle once, from its first file; imports of types count, for they tie the files' meanings together. */
function circles(graph: Graph): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]) => {
    const start = path.indexOf(file);
    if (start >= 0) {
      found.push(`${file}: a circle: ${[...path.slice(start), file].join(' → ')}`);
      return;
    }
    if (done.has(file)) return;
    for (const target of new Set(graph.get(file)?.map((edge) => edge.target))) {
      if (target !== undefined) visit(target, [...path, file]);
    }
    done.add(file);
  };
  for (const file of graph.keys()) {
    // Generated code is what its generator makes of it.
    if (!isGenerated(file)) visit(file, []);
  }
  return found.filter((breach) => !isGenerated(breach.slice(0, breach.indexOf(':'))));
}

function nodeBreaches(graph: Graph): string[] {
  const found: string[] = [];
  for (const [file, edges] of graph) {
    if (!WITHOUT_NODE.includes(folderOf(file) ?? '')) continue;
    for (const { specifier, target } of edges) {
      if (target === undefined && isBuiltin(specifier)) {
        found.push(`${file}: imports ${specifier}, and this folder runs where Node's modules are not`);
      }
    }
  }
  return found;
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

function zodBreaches(graph: Graph): string[] {
  const found: string[] = [];
  for (const [file, edges] of graph) {
    if (!WITHOUT_NODE.includes(folderOf(file) ?? '') || file === SCHEMA_FILE) continue;
    for (const { specifier, target } of edges) {
      if (/^zod(\/|$)/.test(specifier))
        found.push(`${file}: imports ${specifier}, which only ${SCHEMA_FILE} may`);
      else if (target === SCHEMA_FILE) found.push(`${file}: imports ${SCHEMA_FILE}, and zod with it`);
      else if (target === undefined && folderOf(file) === 'event' && !isBuiltin(specifier)) {
        found.push(`${file}: imports ${specifier}, and event/ is free of dependencies`);
      }
    }
  }
  return found;
}

function entryBreaches(graph: Graph): string[] {
  return Object.entries(FORBIDDEN_TO_ENTRIES).flatMap(([entry, forbidden]) => {
    const loaded = new Map<string, string>();
    load(graph, entry, new Set(), loaded);
    return [...loaded]
      .filter(([specifier]) => forbidden.test(specifier))
      .map(([specifier, file]) => `${entry}: loads ${specifier}, through ${file}`);
  });
}

/** Fills `loaded` with the packages that are loaded with a file at run time, and the file that imports each. */
function load(graph: Graph, file: string, seen: Set<string>, loaded: Map<string, string>): void {
  if (seen.has(file)) return;
  seen.add(file);
  for (const { specifier, target, typeOnly } of graph.get(file) ?? []) {
    if (typeOnly) continue;
    if (target === undefined) loaded.set(specifier, file);
    else load(graph, target, seen, loaded);
  }
}

function textBreaches(sources: Sources): string[] {
  const found: string[] = [];
  for (const [file, source] of Object.entries(sources)) {
    if (isGenerated(file)) continue;
    const code = withoutComments(source);
    if (file !== CONFIG_FILE && READS_ENV.test(code)) {
      found.push(`${file}: reads the environment, which only ${CONFIG_FILE} may`);
    }
    if (/\bNODE_ENV\b/.test(code)) found.push(`${file}: names NODE_ENV; no behaviour hangs on it`);
    const lines = source.trimEnd().split('\n').length;
    if (lines > MAX_LINES) found.push(`${file}: ${lines} lines; above ${MAX_LINES} a file has become two`);
  }
  return found;
}

// `process.env`, `process?.env`, `process['env']`, `const { env } = process`, `import { env } from 'node:process'`.
const READS_ENV =
  /\bprocess\s*\??\.?\s*(?:\[\s*['"`]env['"`]|(?<=\.\s*)env\b)|\benv\b[^;{}]*\}\s*(?:=\s*process\b|from\s*['"](?:node:)?process['"])/;
