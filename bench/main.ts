// `npm run bench`: the cost of delivering events, compared with peers (docs/benchmarks).
//
//   npm run bench                                  all scenarios: about an hour
//   npm run bench -- --quick --check               in CI: fails if a ratio has fallen by a third
//   npm run bench -- --only A,C --peers yoga,nchan --repetitions 1
//   npm run bench -- --quick --profile FOLDER      also writes CPU profiles of our server
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.ts';
import { parseOptions, usage } from './options.ts';
import { checkRecorded, record } from './recorded.ts';
import { writeDocs } from './report/docs.ts';
import { formatTable, measureTables, rowTable } from './report/tables.ts';
import type { Results } from './results.ts';
import { rowsOf } from './rows.ts';
import { runAll } from './run.ts';
import { SCENARIOS } from './scenarios/all.ts';
import { PEERS } from './servers/all.ts';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Child processes are ended by exit handlers.
  process.on(signal, () => process.exit(130));
}

const known = { scenarios: SCENARIOS.map(({ name }) => name), peers: PEERS.map(({ name }) => name) };
if (process.argv.includes('--help')) {
  console.log(usage(known));
  process.exit();
}

try {
  const parsed = parseOptions(process.argv.slice(2), known);
  // The page has a profile for each missed row.
  const options =
    parsed.write && parsed.profile === undefined ? { ...parsed, profile: temporaryFolder() } : parsed;
  if (options.profile !== undefined) mkdirSync(options.profile, { recursive: true });
  const dist = options.dist ?? build();
  // Written after each repetition, because a run is long and may be interrupted.
  const onRepetition = (results: Results, repetitions: number) => {
    if (options.write) writeDocs(results, rowsOf(results), { ...options, repetitions });
  };
  const measure = () => runAll(options, dist, (line) => console.log(line), onRepetition);
  const results = await measure();
  const rows = rowsOf(results);
  for (const table of [...measureTables(results), rowTable(rows)]) console.log(`\n${formatTable(table)}`);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ rows }, null, 2)}\n`);
  if (options.record) record(rows);
  if (options.check) {
    const measureAgain = async () => rowsOf(await measure());
    const hasPassed = await checkRecorded(rows, measureAgain, (line) => console.log(line));
    process.exitCode = hasPassed ? 0 : 1;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'execstream-profiles-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
