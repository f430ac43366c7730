// Writes docs/benchmarks: the page with the machine, the versions and the tables, and the plot.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { ARE_PINNED } from '../cores.ts';
import type { Options } from '../options.ts';
import { OURS, type Results } from '../results.ts';
import { isMissed, type Row } from '../rows.ts';
import { SCENARIOS } from '../scenarios/all.ts';
import { profileName } from '../scenarios/scenario.ts';
import { PEERS } from '../servers/all.ts';
import { EXECSTREAM } from '../servers/execstream.ts';
import { plot } from './plot.ts';
import { profileTable } from './profile.ts';
import { markdown, measureTables, rowTable } from './tables.ts';

const FOLDER = new URL('../../docs/benchmarks/', import.meta.url);
const GO_PEERS = ['centrifugo', 'mercure'];
const PLOTTED = ['A, one in flight', 'A, 16 in flight', 'B'];

export function writeDocs(results: Results, rows: readonly Row[], options: Options): void {
  mkdirSync(FOLDER, { recursive: true });
  const groups = PLOTTED.flatMap((scenario) => {
    const bars = results.subjects(scenario).flatMap((name) => {
      const value = results.median(scenario, name, 'cpuUsPerFrame');
      return value === undefined ? [] : [{ name, value }];
    });
    return bars.length > 0 ? [{ title: scenario, bars }] : [];
  });
  if (groups.length > 0)
    writeFileSync(new URL('cost.svg', FOLDER), plot(groups, 'CPU µs of the server per delivered frame'));
  writeFileSync(new URL('README.md', FOLDER), page(results, rows, options));
}

function page(results: Results, rows: readonly Row[], options: Options): string {
  const { repetitions } = options;
  const [ratios, ...measures] = [rowTable(rows), ...measureTables(results)];
  const sections = measures.map((table) => `### ${table.title}\n\n${markdown(table)}`);
  return `# Benchmarks

The cost of delivering events, compared with peers. \`npm run bench -- --write\` writes this page;
\`npm run bench -- --quick\` takes less than a minute. [bench/](../../bench/README.md) explains the method.

${machine(repetitions)}

![CPU time of the server per delivered frame](cost.svg)

## Ratios

Higher is better: how many times cheaper execstream is than a peer, or how many times below a limit. A ratio is
computed within each repetition; the table shows the median.

${markdown(ratios!)}

${whereTimeGoes(rows, options)}
## Scenarios

${SCENARIOS.map(({ name, description }) => `- ${name}: ${description}`).join('\n')}

## Servers

${[EXECSTREAM, ...PEERS].map(({ name, description }) => `- ${name}: ${description}`).join('\n')}

## Measures

${repetitionsOf(repetitions)} Differences below 20 % count as ties.

${sections.join('\n\n')}
`;
}

function repetitionsOf(repetitions: number): string {
  if (repetitions === 1) return 'One repetition.';
  const once = SCENARIOS.filter(({ comparesPeers }) => !comparesPeers).map(({ name }) => name);
  return `Medians of ${repetitions} repetitions; one repetition of the peers in ${once.join(', ')}.`;
}

/** Profiles of our server for the rows that were missed. */
function whereTimeGoes(rows: readonly Row[], { profile }: Options): string {
  // A row may be about one measure of a scenario: "D, p99".
  const missed = new Set(
    rows.filter(isMissed).flatMap(({ scenario }) => [scenario, scenario.split(',')[0]!]),
  );
  const tables = [...missed].flatMap((scenario) => {
    const file = profile && join(profile, profileName(scenario, OURS));
    return file && existsSync(file) ? [profileTable(scenario, file)] : [];
  });
  if (tables.length === 0) return '';
  const sections = tables.map((table) => `### ${table.title}\n\n${markdown(table)}\n`);
  return `## Profiles of missed rows\n\n${sections.join('\n')}`;
}

function machine(repetitions: number): string {
  const lock = JSON.parse(readFileSync(new URL('../peers/package-lock.json', import.meta.url), 'utf8')) as {
    packages: Record<string, { version?: string; dependencies?: Record<string, string> }>;
  };
  const direct = Object.keys(lock.packages['']?.dependencies ?? {});
  const packages = direct.map((name) => `${name} ${lock.packages[`node_modules/${name}`]?.version}`);
  const facts = [
    [
      'measured',
      `${new Date().toISOString().slice(0, 10)}, ${repetitions} repetition${repetitions === 1 ? '' : 's'}`,
    ],
    ['processor', `${cpus().length} × ${cpus()[0]?.model.trim()}`],
    ['memory', `${Math.round(totalmem() / 2 ** 30)} GiB`],
    [
      'cores',
      ARE_PINNED ? 'one for the server, one for everything else' : 'shared: processes were not pinned',
    ],
    ['system', `Linux ${release().split('-')[0]}`],
    ['Node', process.versions.node],
    ['Redis', versionOf('redis-server', ['--version'], /v=(\S+)/)],
    ['nginx', versionOf('nginx', ['-v'], /nginx\/(\S+)/)],
    ['packages', [...packages, ...GO_PEERS.map(versionInGoMod)].join(', ')],
  ];
  return markdown({ title: '', head: ['', ''], lines: facts as string[][] });
}

/** The version in the peer's `go.mod`. */
function versionInGoMod(name: string): string {
  const lock = readFileSync(new URL(`../peers/${name}/go.mod`, import.meta.url), 'utf8');
  return `${name} ${new RegExp(`/${name}(?:/v\\d+)? (v\\S+)`).exec(lock)?.[1]}`;
}

function versionOf(program: string, args: readonly string[], version: RegExp): string {
  try {
    // nginx prints its version to stderr.
    const output = execFileSync('/bin/sh', ['-c', `${program} ${args.join(' ')} 2>&1`], {
      encoding: 'utf8',
    });
    return version.exec(output)?.[1] ?? 'unknown';
  } catch {
    return 'none';
  }
}
