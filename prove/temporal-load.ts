// `npm run load`: the cost of watching many workflows that stream themselves, on a real Temporal dev server, with and
// without the plugin of the worker.
//
//   npm run load
//   npm run load -- --workflows 200 --steps 8 --pace 2000 --spread 10000
import { parseArgs } from 'node:util';
import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import { findPart, TEMPORAL } from '../scripts/test-services.ts';
import { type LoadResult, runLoad } from './load/run.ts';

const { values } = parseArgs({
  options: {
    workflows: { type: 'string', default: '200' },
    steps: { type: 'string', default: '8' },
    pace: { type: 'string', default: '2000' },
    spread: { type: 'string', default: '10000' },
  },
});

function percentile(values: readonly number[], share: number): string {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? '-' : `${Math.round(sorted[Math.floor((sorted.length - 1) * share)]!)}`;
}

function describe({ requests, eventDelays, endDelays, resets, missing, warnings }: LoadResult): string {
  const rates = Object.entries(requests).map(([kind, rate]) => `${kind} ${rate.toFixed(1)}`);
  return [
    `  requests per second: ${rates.join(', ')}`,
    `  events: ${eventDelays.length}, p50 ${percentile(eventDelays, 0.5)} ms, p95 ${percentile(eventDelays, 0.95)} ms`,
    `  ends: ${endDelays.length}, p50 ${percentile(endDelays, 0.5)} ms, p95 ${percentile(endDelays, 0.95)} ms, ` +
      `max ${percentile(endDelays, 1)} ms`,
    `  resets ${resets}, missing ${missing}, warnings: ${warnings.join(' ') || 'none'}`,
  ].join('\n');
}

const binary = findPart(TEMPORAL);
if (!binary) throw new Error('The load needs the Temporal CLI; `npm test -- --install` installs it.');
const filter = makeTelemetryFilterString({ core: 'ERROR' });
Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter } } });
for (const hasSink of [false, true]) {
  const result = await runLoad({
    ...{ binary, hasSink },
    workflows: Number(values.workflows),
    steps: Number(values.steps),
    paceMs: Number(values.pace),
    spreadMs: Number(values.spread),
  });
  console.log(`${values.workflows} workflows, ${hasSink ? 'with' : 'without'} sink\n${describe(result)}`);
}
// Timers and native runtimes of libraries must not keep the process alive.
process.stdout.write('', () => process.exit());
