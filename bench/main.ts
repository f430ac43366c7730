// `npm run bench`: what it costs to deliver events, side by side with peers (docs/benchmarks).
//
//   npm run bench                                  everything: about an hour
//   npm run bench -- --quick --check               in CI: fails where a ratio has fallen by a third
//   npm run bench -- --only A,C --peers yoga,nchan --repetitions 1
//   npm run bench -- --quick --profile FOLDER      and CPU profiles of our server
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.ts';
import { parseOptions } from './options.ts';
import { checkRecorded, record } from './recorded.ts';
import { writeDocs } from './report/docs.ts';
import { measureTables, printed, rowTable } from './report/tables.ts';
import type { Results } from './results.ts';
import { rowsOf } from './rows.ts';
import { runAll } from './run.ts';
import { SCENARIOS } from './scenarios/all.ts';
import { PEERS } from './servers/all.ts';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Whatever was started is ended as this process ends.
  process.on(signal, () => process.exit(130));
}

try {
  const known = { scenarios: SCENARIOS.map(({ name }) => name), peers: PEERS.map(({ name }) => name) };
  const given = parseOptions(process.argv.slice(2), known);
  // The page has a profile beside each row that is missed.
  const options =
    given.write && given.profile === undefined ? { ...given, profile: temporaryFolder() } : given;
  if (options.profile !== undefined) mkdirSync(options.profile, { recursive: true });
  const dist = options.dist ?? build();
  // A run is long: what it has brought is not lost with its end.
  const onRepetition = (results: Results, repetitions: number) => {
    if (options.write) writeDocs(results, rowsOf(results), { ...options, repetitions });
  };
  const measure = () => runAll(options, dist, (line) => console.log(line), onRepetition);
  const results = await measure();
  const rows = rowsOf(results);
  for (const table of [...measureTables(results), rowTable(rows)]) console.log(`\n${printed(table)}`);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ rows }, null, 2)}\n`);
  if (options.record) record(rows);
  if (options.check) {
    const again = async () => rowsOf(await measure());
    const isWell = await checkRecorded(rows, again, (line) => console.log(line));
    process.exitCode = isWell ? 0 : 1;
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
