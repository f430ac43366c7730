// `npm run lock`, after a change of the dependencies: adds the packages of other platforms to package-lock.json.
//
// If the registry does not serve an optional platform-specific package, npm leaves it out of the lock file, and
// `npm ci` rejects the lock file on every machine. The packages that depend on them state their names and versions.
// Their hashes are unknown, so these entries have none.
import { readFileSync, writeFileSync } from 'node:fs';

interface Entry {
  version?: string;
  dev?: true;
  optional?: true;
  os?: string[];
  cpu?: string[];
  optionalDependencies?: Record<string, string>;
}

const FILE = new URL('../package-lock.json', import.meta.url);
const OS = /\b(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)\b/;
const CPU = /\b(arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64)\b/;

const lock = JSON.parse(readFileSync(FILE, 'utf8')) as { packages: Record<string, Entry> };
const { packages } = lock;
const added: string[] = [];
for (const [path, { dev, optionalDependencies }] of Object.entries({ ...packages })) {
  for (const [name, version] of Object.entries(optionalDependencies ?? {})) {
    if (packages[`node_modules/${name}`] || packages[`${path}/node_modules/${name}`]) continue;
    const os = OS.exec(name)?.[1];
    const cpu = CPU.exec(name)?.[1];
    // Adds only packages for exactly one platform and in one exact version, which need no request to the registry.
    if (!os || !cpu || !/^\d+\.\d+\.\d+/.test(version)) continue;
    packages[`node_modules/${name}`] = { version, cpu: [cpu], ...(dev && { dev }), optional: true, os: [os] };
    added.push(name);
  }
}
const sorted = Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1));
lock.packages = Object.fromEntries(sorted);
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json: ${added.length} packages of other platforms added`);
