// Recorded histories replay: a stream asks nothing of Temporal, whether its events go to a sink or not.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { expect, test } from 'vitest';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createTemporalPlugin } from '../../src/temporal/worker/index.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { quietRuntime } from '../support/temporal.ts';

quietRuntime();
const FOLDER = join(import.meta.dirname, 'histories');
const NAMES = readdirSync(FOLDER).map((file) => file.replace('.json', ''));
const workflowsPath = new URL('./workflows.ts', import.meta.url).pathname;

function read(name: string): { events: { workflowExecutionStartedEventAttributes?: object }[] } {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'));
}

/** Replays histories in one go, for bundling takes seconds. */
async function replay(names: readonly string[], options: object = {}): Promise<(Error | undefined)[]> {
  const histories = names.map((name) => ({ workflowId: `recorded-${name}`, history: read(name) }));
  const results: (Error | undefined)[] = [];
  for await (const { error } of Worker.runReplayHistories({ workflowsPath, ...options }, histories)) {
    results.push(error);
  }
  return results;
}

test('recorded histories raise no determinism error', async () => {
  expect(NAMES).toEqual(expect.arrayContaining(['everything', 'laps', 'children', 'cancellable']));
  expect(await replay(NAMES)).toEqual(NAMES.map(() => undefined));
});

test('nor where a plugin has turned the sink on, which hears nothing of a replay', async () => {
  const log = createMemoryLog();
  const plugin = createTemporalPlugin({ log, store: createMemoryStore() });
  expect(await replay(NAMES, { plugins: [plugin] })).toEqual(NAMES.map(() => undefined));
  expect(await log.head('recorded-everything')).toBeUndefined();
});

test('a workflow that went another way would be found out', async () => {
  const history = read('everything');
  Object.assign(history.events[0]!.workflowExecutionStartedEventAttributes!, {
    workflowType: { name: 'laps' },
  });
  const run = Worker.runReplayHistory({ workflowsPath }, history, 'recorded-everything');
  await expect(run).rejects.toThrow(DeterminismViolationError);
});
