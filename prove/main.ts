// `npm run prove`: a chaos run that shows that no event is lost, duplicated or delivered out of order
// (docs/proof.md).
//
//   npm run prove -- --seed 1 --minutes 3 --json proof.json
//   npm run prove -- --scenario rolling                        replaces three servers under a thousand viewers
//   npm run prove -- --minutes 0.5 --viewers 50 --faults server-killed,connections-cut
import { rmSync, writeFileSync } from 'node:fs';
import { parseOptions, USAGE } from './options.ts';
import { describe, failures, toJson } from './report.ts';
import { runChaos } from './run.ts';

if (process.argv.includes('--help')) {
  console.log(USAGE);
  process.exit();
}

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // The first signal ends the run in order, the second one immediately.
    if (interruption.signal.aborted) process.exit(130);
    interruption.abort();
  });
}

try {
  const options = parseOptions(process.argv.slice(2));
  const { scenario, seed, minutes, viewers } = options;
  console.log(`${scenario}, seed ${seed}, ${minutes} min, ${viewers} viewers`);
  const result = await runChaos(options, interruption.signal, (line) => console.log(line));
  console.log(`\n${describe(result)}`);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(toJson(result), null, 2)}\n`);
  const hasFailed = failures(result).length > 0;
  if (!hasFailed && !options.keep) rmSync(result.folder, { recursive: true, force: true });
  process.exitCode = hasFailed || interruption.signal.aborted ? 1 : 0;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
// All output is written; timers and native runtimes of libraries must not keep the process alive.
process.stdout.write('', () => process.exit());
