// The workflow of the load: emits an event for each step.
import { sleep } from '@temporalio/workflow';
import { streamed } from '../../src/temporal/workflow/index.ts';

export const busy = streamed(async function busy(stream, steps: number, paceMs: number) {
  for (let step = 1; step <= steps; step += 1) {
    await sleep(paceMs);
    stream.status('RUNNING', `step ${step}`);
  }
  return steps;
});
