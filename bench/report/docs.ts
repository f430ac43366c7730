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
    writeFileSync(new URL('cost.svg', FOLDER), plot(groups, 'CPU µs of the server a delivered frame'));
  writeFileSync(new URL('README.md', FOLDER), page(results, rows, options));
}

function page(results: Results, rows: readonly Row[], options: Options): string {
  const { repetitions } = options;
  const [ratios, ...measures] = [rowTable(rows), ...measureTables(results)];
  const sections = measures.map((table) => `### ${table.title}\n\n${markdown(table)}`);
  return `# Benchmarks

What it costs to deliver events, side by side with peers: \`npm run bench -- --write\` makes this page, and
\`npm run bench -- --quick\` takes less than a minute. How it measures: [bench/](../../bench/README.md).

${machine(repetitions)}

![CPU time of the server for a delivered frame](cost.svg)

## Ratios

More is better: how many times cheaper we are than a peer, or how many times within a bound. A ratio is made within each
repetition; this is the median.

${markdown(ratios!)}

${whereTimeGoes(rows, options)}
## Scenarios

${SCENARIOS.map(({ name, is }) => `- ${name}: ${is}`).join('\n')}

## Servers

${[EXECSTREAM, ...PEERS].map(({ name, is }) => `- ${name}: ${is}`).join('\n')}

## Measures

${repetitionsOf(repetitions)} Differences below 20 % are ties.

${sections.join('\n\n')}
`;
}

function repetitionsOf(repetitions: number): string {
  if (repetitions === 1) return 'One repetition.';
  const once = SCENARIOS.filter(({ comparesPeers }) => !comparesPeers).map(({ name }) => name);
  return `Medians of ${repetitions} repetitions; of peers in ${once.join(', ')}, one.`;
}

/** Beside rows that are missed, a profile of what was measured for them. */
function whereTimeGoes(rows: readonly Row[], { profile }: Options): string {
  // A row may be of one measure of a scenario: "D, p99".
  const missed = new Set(
    rows.filter(isMissed).flatMap(({ scenario }) => [scenario, scenario.split(',')[0]!]),
  );
  const tables = [...missed].flatMap((scenario) => {
    const file = profile && join(profile, profileName(scenario, OURS));
    return file && existsSync(file) ? [profileTable(scenario, file)] : [];
  });
  if (tables.length === 0) return '';
  const sections = tables.map((table) => `### ${table.title}\n\n${markdown(table)}\n`);
  return `## Where the time goes in rows that are missed\n\n${sections.join('\n')}`;
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
    ['cores', ARE_PINNED ? 'one for the server, one for all else' : 'shared: nothing was bound to a core'],
    ['system', `Linux ${release().split('-')[0]}`],
    ['Node', process.versions.node],
    ['Redis', printedBy('redis-server', ['--version'], /v=(\S+)/)],
    ['nginx', printedBy('nginx', ['-v'], /nginx\/(\S+)/)],
    ['packages', [...packages, ...GO_PEERS.map(versionInGo)].join(', ')],
  ];
  return markdown({ title: '', head: ['', ''], lines: facts as string[][] });
}

/** As the lock of its modules has it. */
function versionInGo(name: string): string {
  const lock = readFileSync(new URL(`../peers/${name}/go.mod`, import.meta.url), 'utf8');
  return `${name} ${new RegExp(`/${name}(?:/v\\d+)? (v\\S+)`).exec(lock)?.[1]}`;
}

function printedBy(program: string, args: readonly string[], version: RegExp): string {
  try {
    // nginx prints its version on stderr.
    const printed = execFileSync('/bin/sh', ['-c', `${program} ${args.join(' ')} 2>&1`], {
      encoding: 'utf8',
    });
    return version.exec(printed)?.[1] ?? 'unknown';
  } catch {
    return 'none';
  }
}
