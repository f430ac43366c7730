// The same workflow with a stream, which bundles all of execstream/workflow.
import { sleep } from '@temporalio/workflow';
import { streamed } from '../../../src/temporal/workflow/index.ts';

export const digest = streamed(async (stream, topic: string) => {
  stream.status('RUNNING', 'resting');
  await sleep(10);
  return topic;
});
