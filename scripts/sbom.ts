// `npm run sbom`, a part of `npm pack`: writes the contents of an installation to dist/sbom.cdx.json in CycloneDX
// format.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Component {
  'bom-ref': string;
  name: string;
}

interface Bom {
  metadata: { component: Component };
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

interface Manifest {
  name: string;
  dependencies: Record<string, string>;
}

interface Lock {
  packages: Record<string, { version?: string; dev?: true; devOptional?: true; peer?: true }>;
}

/** Packages whose files the build copies or bundles into ours (scripts/copy-assets.ts, scripts/build-database.ts). */
const VENDORED = ['swagger-ui-dist', '@prisma/client'];

const root = fileURLToPath(new URL('../', import.meta.url));
const read = (file: string) => JSON.parse(readFileSync(root + file, 'utf8'));
const { name, dependencies } = read('package.json') as Manifest;
const { packages } = read('package-lock.json') as Lock;

// From the lock file, so that the result does not depend on the installed packages. npm's `--omit` is not used,
// because it drops packages that are also an optional or peer dependency of another package.
const command = ['sbom', '--package-lock-only', '--sbom-format=cyclonedx'];
const bom = JSON.parse(
  execFileSync('npm', command, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 }),
) as Bom;
// npm uses the name of the folder.
bom.metadata.component.name = name;
const ownRef = bom.metadata.component['bom-ref'];

/** Packages that are installed with ours: neither development dependencies nor optional peers of others. */
const forProduction = new Set(
  Object.entries(packages)
    .filter(([, { dev, devOptional, peer }]) => !dev && !devOptional && !peer)
    .map(([path, { version }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`),
);

const own = bom.dependencies.find(({ ref }) => ref === ownRef)!;

/** The references of packages that are direct dependencies of ours. */
function refsOf(names: readonly string[]): string[] {
  const components = bom.components.filter((component) => names.includes(component.name));
  return components.map((component) => component['bom-ref']).filter((ref) => own.dependsOn.includes(ref));
}

const installed = new Set(refsOf(Object.keys(dependencies)));
// Iterating a set includes elements added during the iteration. A package that is installed twice has two entries.
for (const ref of installed) {
  for (const entry of bom.dependencies.filter((candidate) => candidate.ref === ref)) {
    for (const next of entry.dependsOn) if (forProduction.has(next)) installed.add(next);
  }
}
for (const ref of refsOf(VENDORED)) installed.add(ref);

bom.components = bom.components.filter((component) => installed.has(component['bom-ref']));
bom.dependencies = bom.dependencies.filter(({ ref }) => ref === ownRef || installed.has(ref));
for (const entry of bom.dependencies) entry.dependsOn = entry.dependsOn.filter((ref) => installed.has(ref));
writeFileSync(`${root}dist/sbom.cdx.json`, `${JSON.stringify(bom, null, 2)}\n`);
