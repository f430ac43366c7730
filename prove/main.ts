// `npm run prove`: a chaos run that shows that nothing is lost, doubled or disordered (docs/proof.md).
//
//   npm run prove -- --seed 1 --minutes 3 --json proof.json
//   npm run prove -- --scenario rolling                        three servers replaced under a thousand viewers
//   npm run prove -- --minutes 0.5 --viewers 50 --faults server-killed,connections-cut
import { rmSync, writeFileSync } from 'node:fs';
import { parseOptions } from './options.ts';
import { describe, failures, toJson } from './report.ts';
import { runChaos } from './run.ts';

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // Once to end it in order, twice to end it now.
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
// All is written; what libraries still have under way (a retry's timer, a native runtime) is not waited for.
process.stdout.write('', () => process.exit());
