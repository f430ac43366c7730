// The programs that the suites need besides Node, and where each is looked for. One more is one more entry in PARTS.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { PostgresServer } from './postgres.ts';
import { RedisServer } from './redis.ts';
import { TemporalServer } from './temporal.ts';
import { installTemporalCli, temporalCacheFolder } from './temporal-cli.ts';

/** Where to look. Tests look elsewhere than in the real places. */
export interface Place {
  env: Readonly<Record<string, string | undefined>>;
  /** The folder that absolute paths start from; default `/`. */
  root?: string;
}

/** What a look came to: the path of the program (or of its folder), or why there is none. */
type Sighting = { path: string } | { why: string };

/** A server that the runner started for all suites. */
interface Started {
  url: string;
  stop(): Promise<void>;
}

/** One program that suites need. */
export interface Part {
  name: string;
  /** The module of test/support/ through which suites use it. */
  support: string;
  /** Debian's package; absent where Debian has none. */
  package?: string;
  /** Installs it where Debian has no package. */
  install?(): void;
  /** The environment variable that tells suites the program's path. */
  pathVariable: string;
  /** The environment variable that names a shared server: the caller's, or else the one that the runner starts. */
  urlVariable?: string;
  /** Another variable by which the caller may name a shared server, known outside of our tests. */
  publicVariable?: string;
  find(place: Place): Sighting;
  /** Starts the server that the suites share. */
  start?(path: string): Promise<Started>;
}

export const REDIS: Part = {
  name: 'Redis 7 or newer',
  support: 'redis',
  package: 'redis-server',
  pathVariable: 'TEST_REDIS_SERVER',
  urlVariable: 'TEST_REDIS_URL',
  find(place) {
    const path = place.env.TEST_REDIS_SERVER ?? onPath(['redis-server'], place);
    if (!path) return { why: 'no redis-server on PATH' };
    const printed = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout ?? '';
    const version = /\bv=(\d+)\.\S+/.exec(printed);
    if (!version) return { why: `${path} does not tell its version` };
    // Sharded Pub/Sub began with 7.
    return Number(version[1]) >= 7 ? { path } : { why: `${path} is too old: ${version[0]}` };
  },
  start: (binary) => RedisServer.start({ binary }),
};

export const POSTGRES: Part = {
  name: 'PostgreSQL',
  support: 'postgres',
  package: 'postgresql',
  pathVariable: 'TEST_POSTGRES_BIN',
  urlVariable: 'TEST_POSTGRES_URL',
  find(place) {
    const folders = [place.env.TEST_POSTGRES_BIN ?? pathFolders(place), debianPostgres(place)].flat();
    const bin = folders.find(
      (folder) => isProgram(join(folder, 'initdb')) && isProgram(join(folder, 'postgres')),
    );
    // The real folder: PATH may have links to some of the programs only.
    return bin
      ? { path: dirname(realpathSync(join(bin, 'initdb'))) }
      : { why: 'no initdb and postgres on PATH or in /usr/lib/postgresql' };
  },
  start: (bin) => PostgresServer.start({ bin }),
};

export const CHROMIUM: Part = {
  name: 'Chromium',
  support: 'chromium',
  package: 'chromium',
  pathVariable: 'CHROMIUM_PATH',
  find(place) {
    const given = place.env.CHROMIUM_PATH;
    if (given) return isProgram(given) ? { path: given } : { why: `CHROMIUM_PATH is no program: ${given}` };
    const path = onPath(['chromium', 'chromium-browser', 'google-chrome'], place);
    return path ? { path } : { why: 'no chromium, chromium-browser or google-chrome on PATH' };
  },
};

export const TEMPORAL: Part = {
  name: 'Temporal CLI',
  support: 'temporal',
  install: installTemporalCli,
  pathVariable: 'TEST_TEMPORAL_CLI',
  urlVariable: 'TEST_TEMPORAL_ADDRESS',
  publicVariable: 'TEMPORAL_ADDRESS',
  find(place) {
    for (const variable of ['TEST_TEMPORAL_CLI', 'TEMPORAL_CLI_PATH']) {
      const given = place.env[variable];
      if (given) return isProgram(given) ? { path: given } : { why: `${variable} is no program: ${given}` };
    }
    const cache = temporalCacheFolder(place.env);
    const cached = cache && join(cache, 'temporal');
    const path = onPath(['temporal'], place) ?? (cached && isProgram(cached) ? cached : undefined);
    return path ? { path } : { why: `no temporal on PATH${cache ? ` or in ${cache}` : ''}` };
  },
  start: (binary) => TemporalServer.start({ binary }),
};

export const PARTS: readonly Part[] = [REDIS, POSTGRES, CHROMIUM, TEMPORAL];

/** The path of a part's program on this machine, or undefined. */
export function findPart(part: Part, place: Place = { env: process.env }): string | undefined {
  const sighting = part.find(place);
  return 'path' in sighting ? sighting.path : undefined;
}

function pathFolders({ env }: Place): string[] {
  return (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
}

function onPath(names: readonly string[], place: Place): string | undefined {
  for (const name of names) {
    const folder = pathFolders(place).find((candidate) => isProgram(join(candidate, name)));
    if (folder) return join(folder, name);
  }
  return undefined;
}

/** Debian keeps the server's programs off the PATH, in a folder for each major version; newest first. */
function debianPostgres({ root = '/' }: Place): string[] {
  const parent = join(root, 'usr/lib/postgresql');
  try {
    const versions = readdirSync(parent).sort((a, b) => Number(b) - Number(a));
    return versions.map((version) => join(parent, version, 'bin'));
  } catch {
    return [];
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
