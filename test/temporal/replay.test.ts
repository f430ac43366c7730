// Recorded histories replay: a stream adds no commands to a workflow, with or without a sink.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ReplayWorkerOptions, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { expect, test } from 'vitest';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createTemporalPlugin } from '../../src/temporal/worker/index.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { quietRuntime } from '../support/temporal.ts';
import { bundleWorkflows } from './workflow-bundles.ts';

quietRuntime();
const FOLDER = join(import.meta.dirname, 'histories');
const NAMES = readdirSync(FOLDER).map((file) => file.replace('.json', ''));
const workflowsPath = new URL('./workflows.ts', import.meta.url).pathname;

function read(name: string): { events: { workflowExecutionStartedEventAttributes?: object }[] } {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'));
}

/** Replays several histories with one bundle, because bundling takes seconds. */
async function replay(
  names: readonly string[],
  options: ReplayWorkerOptions,
): Promise<(Error | undefined)[]> {
  const histories = names.map((name) => ({ workflowId: `recorded-${name}`, history: read(name) }));
  const results: (Error | undefined)[] = [];
  for await (const { error } of Worker.runReplayHistories(options, histories)) {
    results.push(error);
  }
  return results;
}

test('recorded histories raise no determinism error', async () => {
  const workflowBundle = await bundleWorkflows(workflowsPath);
  expect(NAMES).toEqual(expect.arrayContaining(['everything', 'laps', 'children', 'cancellable']));
  expect(await replay(NAMES, { workflowBundle })).toEqual(NAMES.map(() => undefined));
});

test('recorded histories replay with the plugin’s sink, which receives no events of a replay', async () => {
  const log = createMemoryLog();
  const plugin = createTemporalPlugin({ log, store: createMemoryStore() });
  expect(await replay(NAMES, { workflowsPath, plugins: [plugin] })).toEqual(NAMES.map(() => undefined));
  expect(await log.head('recorded-everything')).toBeUndefined();
});

test('a replay of another workflow raises a determinism error', async () => {
  const history = read('everything');
  Object.assign(history.events[0]!.workflowExecutionStartedEventAttributes!, {
    workflowType: { name: 'laps' },
  });
  const workflowBundle = await bundleWorkflows(workflowsPath);
  const run = Worker.runReplayHistory({ workflowBundle }, history, 'recorded-everything');
  await expect(run).rejects.toThrow(DeterminismViolationError);
});
