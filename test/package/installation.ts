// The three packages as npm would install them, but without a registry: packed from a copy of the checkout, and unpacked
// into a project each, with links to the dependencies that the package names and to no others.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ROOT, withDependencies } from './lock-file.ts';

export interface Installation {
  readonly name: string;
  readonly tarball: string;
  /** The folder of a user's project that has this package and its dependencies. */
  readonly project: string;
  /** The folder of the package in it. */
  readonly folder: string;
  /** Runs Node in the project; returns its output. */
  run(...args: string[]): string;
}

/** Builds, cuts and packs the packages in a folder: the server, the client, and the worker. */
export function installAll(folder: string): Installation[] {
  // A copy, because building replaces dist/, which a developer may be using.
  const checkout = join(folder, 'checkout');
  mkdirSync(checkout);
  const files = [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'prisma.config.ts',
  ];
  const published = ['bin', 'schema.graphql', 'CHANGELOG.md', 'LICENSE', 'README.md', 'docs', 'prisma'];
  for (const name of [...files, ...published, 'src', 'scripts'])
    cpSync(join(ROOT, name), join(checkout, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
  const npm = (...args: string[]) => execFileSync('npm', args, { cwd: checkout, encoding: 'utf8' });
  npm('run', 'prepack');
  npm('run', 'cut');
  return ['.', 'dist-packages/execstream-client', 'dist-packages/execstream-worker'].map((path) => {
    const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
    const [{ filename }] = JSON.parse(npm(...pack, `./${path}`)) as [{ filename: string }];
    return install(join(folder, filename), folder);
  });
}

function install(tarball: string, parent: string): Installation {
  // The file is named like the package, followed by the version.
  const name = basename(tarball).replace(/-\d.*$/, '');
  const project = join(parent, `project-${name}`);
  const folder = unpack(tarball, name, project);
  const run = (...args: string[]) => execFileSync(process.execPath, args, { cwd: project, encoding: 'utf8' });
  return { name, tarball, project, folder, run };
}

/** Unpacks a package into a project, and links its dependencies. Returns the package's folder. */
export function unpack(tarball: string, name: string, project: string): string {
  const folder = join(project, 'node_modules', name);
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1']);
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  linkPackages(withDependencies(Object.keys(dependencies)), project);
  return folder;
}

/**
 * Links packages into a project, unless it has them.
 * @param from the folder that has the packages in its `node_modules`
 */
export function linkPackages(names: Iterable<string>, project: string, from: string = ROOT): void {
  for (const name of names) {
    const link = join(project, 'node_modules', name);
    if (existsSync(link)) continue;
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(from, 'node_modules', name), link);
  }
}
