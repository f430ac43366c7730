// `npm run packages`, after a build: cuts the packages execstream-client and execstream-worker from dist/ into
// dist-packages/, so that a page or a worker installs only what it uses.
//
// A package has the files that its entries reach, under the same names, and the dependencies that these files import.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Manifest {
  readonly [field: string]: unknown;
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string } | string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

interface Package {
  readonly name: string;
  readonly description: string;
  /** The name in this package of an entry of `execstream`; undefined if it does not have it. */
  entry(subpath: string): string | undefined;
  /** Dependencies of `execstream` that only some users of the package need, with the versions that fit. */
  readonly optional: Readonly<Record<string, string>>;
  /** Its documentation. */
  readonly page: string;
}

const PACKAGES: readonly Package[] = [
  {
    name: 'execstream-client',
    description:
      'Follows executions of execstream in browsers, Node, Deno and Bun: resumes, and misses nothing',
    entry: (subpath) => (/^\.\/client(\/|$)/.test(subpath) ? subpath.replace('/client', '') : undefined),
    optional: { graphql: '>=16', 'graphql-sse': '>=2' },
    page: 'docs/client.md',
  },
  {
    name: 'execstream-worker',
    description: 'Publishes executions of workflows, agents and tasks to execstream',
    entry: (subpath) => {
      if (subpath === './workflow' || subpath === './state') return subpath;
      return /^\.\/worker(\/|$)/.test(subpath) ? subpath.replace('/worker', '') : undefined;
    },
    // A worker shares its database with a server, so that it is not an embedded one, except in a test; and only workers of
    // Temporal see types of its protocol, which they have installed.
    optional: { '@electric-sql/pglite': '^0.5.16', '@temporalio/proto': '^1.21' },
    page: 'docs/publishing.md',
  },
];

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUT = join(ROOT, 'dist-packages');
const SPECIFIERS = /(?:\bfrom|\bimport)\s*\(?\s*(['"])([^'"\n]+)\1/g;
/** Files that are loaded by their path: a thread, and a module for the sandbox of workflows. */
const LOADED = /new URL\(\s*['"`](\.[^'"`]+)\.(?:ts|js|\$\{EXTENSION\})['"`]\s*,\s*import\.meta\.url/g;

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;

rmSync(OUT, { recursive: true, force: true });
for (const part of PACKAGES) cut(part);

function cut(part: Package): void {
  const entries = Object.entries(manifest.exports).flatMap(([subpath, target]) => {
    const name = typeof target === 'string' ? undefined : part.entry(subpath);
    return name === undefined ? [] : [[name, target] as const];
  });
  const { files, imported } = reach(entries.flatMap(([, target]) => Object.values(target)));
  const folder = join(OUT, part.name);
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(ROOT, file), join(folder, file));
  }
  for (const file of ['LICENSE', 'CHANGELOG.md', part.page]) cpSync(join(ROOT, file), join(folder, file));
  writeFileSync(join(folder, 'README.md'), readme(part));
  const { name, description } = part;
  const { version, license, type, engines, repository, keywords } = manifest;
  const published = {
    ...{ name, version, description, keywords, license, repository, type, engines, sideEffects: false },
    files: ['dist', 'docs', 'CHANGELOG.md'],
    exports: Object.fromEntries(entries),
    ...fallbacks(Object.fromEntries(entries)),
    ...dependenciesOf(imported, part.optional),
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
}

/** The files that these files reach, relative to the root, and the packages that they import. */
function reach(targets: readonly string[]): { files: Set<string>; imported: Set<string> } {
  const files = new Set<string>();
  const imported = new Set<string>();
  const add = (file: string) => {
    const path = relative(ROOT, file);
    if (files.has(path)) return;
    files.add(path);
    const text = readFileSync(file, 'utf8');
    const specifiers = [...text.matchAll(SPECIFIERS)].map(([, , specifier]) => specifier!);
    const loaded = [...text.matchAll(LOADED)].map(([, name]) => `${name}.js`);
    for (const specifier of [...specifiers, ...loaded]) {
      if (!specifier.startsWith('.')) imported.add(packageOf(specifier));
      else addFile(resolve(dirname(file), specifier), file.endsWith('.d.ts'), file);
    }
  };
  const addFile = (path: string, isType: boolean, importer: string) => {
    const file = isType ? path.replace(/\.js$/, '.d.ts') : path;
    // Text that looks like an import, in a comment of a bundle.
    if (existsSync(file)) add(file);
    else if (!importer.includes('/generated/')) throw new Error(`${importer}: ${path} does not exist`);
  };
  for (const target of targets) add(join(ROOT, target));
  return { files, imported };
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function dependenciesOf(imported: ReadonlySet<string>, optional: Package['optional']) {
  const dependencies: Record<string, string> = {};
  const peerDependencies: Record<string, string> = {};
  for (const name of [...imported].sort()) {
    if (name.startsWith('node:')) continue;
    const version = manifest.dependencies[name];
    const peer = manifest.peerDependencies[name] ?? optional[name];
    if (peer !== undefined) peerDependencies[name] = peer;
    else if (version !== undefined) dependencies[name] = version;
    else throw new Error(`${name} is imported, but neither a dependency nor a peer`);
  }
  if (Object.keys(peerDependencies).length === 0) return { dependencies };
  const peerDependenciesMeta = Object.fromEntries(
    Object.keys(peerDependencies).map((name) => [name, { optional: true }]),
  );
  return { dependencies, peerDependencies, peerDependenciesMeta };
}

/** For resolvers that do not know `exports`: TypeScript's `node10`, and bundlers that imitate it. */
function fallbacks(exports: Manifest['exports']) {
  const main = exports['.'] as { types: string; default: string };
  const types = Object.entries(exports).flatMap(([subpath, target]) =>
    subpath === '.' || typeof target === 'string' ? [] : [[subpath.slice(2), [target.types]] as const],
  );
  return { main: main.default, types: main.types, typesVersions: { '*': Object.fromEntries(types) } };
}

function readme({ name, description, page }: Package): string {
  return [
    `# ${name}`,
    '',
    `${description}.`,
    '',
    '```sh',
    `npm install ${name}`,
    '```',
    '',
    `See [${page}](${page}), where the package is \`${name.replace('-', '/')}\`: this one has the same entries, without the`,
    'server.',
    '',
  ].join('\n');
}
