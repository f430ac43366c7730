// The programs that suites need besides Node, and how to find them. To add one, add it to PARTS.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { bundlersFolder, installBundlers } from './bundlers.ts';
import { type Env, isInstalled } from './cached-packages.ts';
import { installModelSdks, modelSdksFolder } from './model-sdks.ts';
import { PostgresServer } from './postgres.ts';
import { installReact18, react18Folder } from './react-18.ts';
import { RedisServer } from './redis.ts';
import { TemporalServer } from './temporal.ts';
import { installTemporalCli, temporalCacheFolder } from './temporal-cli.ts';
import { findTemporalPython, installTemporalPython, temporalPythonFolder } from './temporal-python.ts';
import { installTemporalSdks, temporalSdkFolders } from './temporal-sdks.ts';
import { installWebFrameworks, webFrameworksFolder } from './web-frameworks.ts';

/** Where to search. Tests use other places than the real ones. */
export interface Place {
  env: Readonly<Record<string, string | undefined>>;
  /** The folder to which absolute paths are relative. @default '/' */
  root?: string;
}

/** The result of a search: the path of the program or of its folder, or why it was not found. */
type SearchResult = { path: string } | { why: string };

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
  /** Debian's package; absent if Debian has none. */
  package?: string;
  /** Installs it if Debian has no package. */
  install?(): void;
  /** The environment variable with the program's path, for suites. */
  pathVariable: string;
  /** The environment variable of a shared server: set by the caller, or else by the runner. */
  urlVariable?: string;
  /** Another variable by which the caller can set a shared server, also used outside of our tests. */
  publicVariable?: string;
  find(place: Place): SearchResult;
  /** Starts the server that suites share. */
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
    const output = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout ?? '';
    const version = /\bv=(\d+)\.\S+/.exec(output);
    if (!version) return { why: `${path} does not print its version` };
    // Sharded Pub/Sub requires version 7.
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
    // The real folder, because PATH may contain links to only some of the programs.
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
    const configured = place.env.CHROMIUM_PATH;
    if (configured)
      return isProgram(configured)
        ? { path: configured }
        : { why: `CHROMIUM_PATH is not a program: ${configured}` };
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
      const configured = place.env[variable];
      if (configured)
        return isProgram(configured)
          ? { path: configured }
          : { why: `${variable} is not a program: ${configured}` };
    }
    const cache = temporalCacheFolder(place.env);
    const cached = cache && join(cache, 'temporal');
    const path = onPath(['temporal'], place) ?? (cached && isProgram(cached) ? cached : undefined);
    return path ? { path } : { why: `no temporal on PATH${cache ? ` or in ${cache}` : ''}` };
  },
  start: (binary) => TemporalServer.start({ binary }),
};

export const NGINX: Part = {
  name: 'nginx',
  support: 'nginx',
  package: 'nginx-light',
  pathVariable: 'TEST_NGINX',
  find(place) {
    const path = place.env.TEST_NGINX ?? onPath(['nginx'], place);
    if (path) return { path };
    // Debian installs it outside of the PATH of a user without root privileges.
    const debian = join(place.root ?? '/', 'usr/sbin/nginx');
    return isProgram(debian) ? { path: debian } : { why: 'no nginx on PATH or in /usr/sbin' };
  },
};

export const MODEL_SDKS = cachedPackages(modelSdksFolder, {
  name: 'model SDKs',
  support: 'model-sdks',
  install: installModelSdks,
  pathVariable: 'TEST_MODEL_SDKS',
});

export const REACT_18 = cachedPackages(react18Folder, {
  name: 'React 18',
  support: 'react-18',
  install: installReact18,
  pathVariable: 'TEST_REACT_18',
});

export const TEMPORAL_PYTHON: Part = {
  name: 'temporalio (pip)',
  support: 'temporal-python',
  install: installTemporalPython,
  pathVariable: 'TEST_TEMPORAL_PYTHON',
  find({ env }) {
    const folder = temporalPythonFolder(env);
    const path = env.TEST_TEMPORAL_PYTHON ?? (folder && findTemporalPython(folder));
    return path ? { path } : { why: `not installed${folder ? ` in ${folder}` : ''}` };
  },
};

export const TEMPORAL_SDKS: Part = {
  name: 'Temporal SDKs',
  support: 'temporal-sdks',
  install: installTemporalSdks,
  pathVariable: 'TEST_TEMPORAL_SDKS',
  find({ env }) {
    const folders = env.TEST_TEMPORAL_SDKS?.split(delimiter) ?? temporalSdkFolders(env);
    const missing = folders.filter((folder) => !isInstalled(folder));
    if (folders.length > 0 && missing.length === 0) return { path: folders.join(delimiter) };
    return { why: `not installed${missing.length > 0 ? ` in ${missing.join(', ')}` : ''}` };
  },
};

export const WEB_FRAMEWORKS = cachedPackages(webFrameworksFolder, {
  name: 'web frameworks',
  support: 'web-frameworks',
  install: installWebFrameworks,
  pathVariable: 'TEST_WEB_FRAMEWORKS',
});

export const BUNDLERS = cachedPackages(bundlersFolder, {
  name: 'Rollup',
  support: 'bundlers',
  install: installBundlers,
  pathVariable: 'TEST_BUNDLERS',
});

export const GO: Part = {
  name: 'Go 1.23 or newer',
  support: 'go',
  package: 'golang-go',
  pathVariable: 'TEST_GO',
  find(place) {
    const path = place.env.TEST_GO ?? onPath(['go'], place);
    if (!path) return { why: 'no go on PATH' };
    const output = spawnSync(path, ['version'], { encoding: 'utf8' }).stdout ?? '';
    const version = /\bgo1\.(\d+)/.exec(output);
    if (!version) return { why: `${path} does not print its version` };
    // The version in go.mod of examples/temporal-go.
    return Number(version[1]) >= 23 ? { path } : { why: `${path} is too old: ${version[0]}` };
  },
};

export const PARTS: readonly Part[] = [
  REDIS,
  POSTGRES,
  CHROMIUM,
  TEMPORAL,
  NGINX,
  MODEL_SDKS,
  REACT_18,
  TEMPORAL_SDKS,
  TEMPORAL_PYTHON,
  GO,
  WEB_FRAMEWORKS,
  BUNDLERS,
];

/** A part that is npm packages in a folder of the user's cache folder, or in the one that its variable names. */
function cachedPackages(folderOf: (env: Env) => string | undefined, part: Omit<Part, 'find'>): Part {
  return {
    ...part,
    find({ env }) {
      const folder = env[part.pathVariable] ?? folderOf(env);
      if (folder && isInstalled(folder)) return { path: folder };
      return { why: `not installed${folder ? ` in ${folder}` : ''}` };
    },
  };
}

/** The path of a program on this machine, or undefined. */
export function findPart(part: Part, place: Place = { env: process.env }): string | undefined {
  const result = part.find(place);
  return 'path' in result ? result.path : undefined;
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

/** Debian installs the server's programs outside of PATH, in one folder per major version; newest first. */
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
