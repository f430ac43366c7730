// Builds that the processes of a run and later runs share. A build is used only while the content of everything that it
// was made from is unchanged, so it is never outdated.
//
//   const folder = await sharedBuild('my program', async (folder) => { … writes into folder … return inputs; });
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

/** Below the packages' folder, so that programs in it find the packages. */
const FOLDER = join(ROOT, 'node_modules/.cache/execstream-tests');

/** What every build depends on: this file, and the versions of the tools. */
const COMMON_INPUTS = [import.meta.filename, join(ROOT, 'node_modules/.package-lock.json')];

const KEPT_MS = 24 * 60 * 60 * 1_000;

/** A time that no clock of a file system lags. */
const CLOCK_MS = 50;

interface Manifest {
  readonly folder: string;
  /** The digest of each input; undefined for files that do not exist. */
  readonly inputs: readonly (readonly [path: string, digest?: string])[];
}

/**
 * The folder of a build, which `make` fills if there is none, or if an input has changed.
 * @param name identifies the build in this checkout, with its options
 * @param make writes into the folder; returns the absolute paths of its inputs, also of files whose absence matters
 */
export async function sharedBuild(
  name: string,
  make: (folder: string) => Promise<Iterable<string>>,
): Promise<string> {
  // With the checkout: a copy of the packages' folder may have builds of another one.
  const manifestFile = join(FOLDER, `${digest(`${ROOT} ${name}`)}.json`);
  const found = findCurrent(manifestFile);
  if (found) return found;
  mkdirSync(FOLDER, { recursive: true });
  removeOld();
  const startedAt = Date.now();
  const folder = mkdtempSync(join(FOLDER, 'build-'));
  const inputs = [...new Set([...COMMON_INPUTS, ...(await make(folder))])];
  // A file that was written during the build may differ from what the build has: the next caller builds again.
  if (inputs.some((path) => modifiedAt(path) > startedAt - CLOCK_MS)) return folder;
  const manifest: Manifest = { folder, inputs: inputs.map((path) => [path, digestOf(path)]) };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  renameSync(join(folder, 'manifest.json'), manifestFile);
  return folder;
}

function findCurrent(manifestFile: string): string | undefined {
  if (!existsSync(manifestFile)) return undefined;
  const { folder, inputs } = JSON.parse(readFileSync(manifestFile, 'utf8')) as Manifest;
  if (!existsSync(folder) || inputs.some(([path, known]) => digestOf(path) !== known)) return undefined;
  // Programs that run now may load more of it later.
  utimesSync(folder, new Date(), new Date());
  return folder;
}

function removeOld(): void {
  const oldest = Date.now() - KEPT_MS;
  for (const name of readdirSync(FOLDER)) {
    const path = join(FOLDER, name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats && stats.mtimeMs < oldest) rmSync(path, { recursive: true, force: true });
  }
}

/** When a file was last written; 0 for folders and for files that do not exist. */
function modifiedAt(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() ? stats.mtimeMs : 0;
}

/** The digest of a file's content; undefined if there is no such file. */
function digestOf(path: string): string | undefined {
  try {
    return digest(readFileSync(path));
  } catch {
    return undefined;
  }
}

function digest(content: string | Buffer): string {
  return createHash('sha1').update(content).digest('hex');
}
