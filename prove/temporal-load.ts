// `npm run load`: the cost of watching many workflows that stream themselves, on a real Temporal dev server, with and
// without the plugin of the worker.
//
//   npm run load
//   npm run load -- --workflows 200 --steps 8 --pace 2000 --spread 10000
import { parseArgs } from 'node:util';
import { findPart, TEMPORAL } from '../scripts/test-services.ts';
import { type LoadResult, runLoad } from './load/run.ts';
import { quietRuntime } from './load/worker.ts';

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

function spread(values: readonly number[]): string {
  const [p50, p95, max] = [0.5, 0.95, 1].map((share) => percentile(values, share));
  return `${values.length}, p50 ${p50} ms, p95 ${p95} ms, max ${max} ms`;
}

function describe(result: LoadResult): string {
  const { requests, resets, missing, warnings, eventLoopDelays } = result;
  const rates = Object.entries(requests).map(([kind, rate]) => `${kind} ${rate.toFixed(1)}`);
  const [p50, p99, max] = eventLoopDelays.map((ms) => ms.toFixed(0));
  return [
    `  requests per second: ${rates.join(', ')}`,
    `  events: ${spread(result.eventDelays)}`,
    `  ends: ${spread(result.endDelays)}`,
    `    until Temporal has reported the close: ${spread(result.temporalDelays)}`,
    `    from there to the viewer: ${spread(result.ownDelays)}`,
    `    of that, last queries: ${spread(result.queryDelays)}`,
    `  event loop of the server: p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`,
    `  resets ${resets.length} (${[...new Set(resets)].join(' ') || 'none'}), missing ${missing}, warnings: ${warnings.join(' ') || 'none'}`,
  ].join('\n');
}

const binary = findPart(TEMPORAL);
if (!binary) throw new Error('The load needs the Temporal CLI; `npm test -- --install` installs it.');
quietRuntime();
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
