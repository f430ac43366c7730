// Workflow Streams of Temporal's Python SDK, with the events of a response as its plugin for OpenAI Agents publishes them.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../../docs/blocks.ts';
import { describeTemporal, useTemporal } from '../../../support/temporal.ts';
import { describeTemporalPython, TEMPORAL_PYTHON_PATH } from '../../../support/temporal-python.ts';
import { uniqueId } from '../../rig.ts';
import { startWatching } from '../rig.ts';
import { shownIn, textOf, watchItems } from './streams-rig.ts';
import { startProgram } from './worker-process.ts';

const PROGRAM = join(ROOT, 'test/temporal/source/workflow-streams/worker/worker.py');

describeTemporalPython("with Temporal's Python SDK", () => {
  describeTemporal('and Temporal', () => {
    const temporal = useTemporal();

    test('the items of an activity and of the workflow are shown, and become text and usage', async () => {
      await using watching = await startWatching(temporal.address);
      const taskQueue = uniqueId('python');
      const env = { ADDRESS: temporal.address, TASK_QUEUE: taskQueue };
      await using _worker = await startProgram(TEMPORAL_PYTHON_PATH!, [PROGRAM], env);
      const workflowId = uniqueId('responder');
      await temporal.client.workflow.start('responder', { taskQueue, workflowId });
      using stream = await watchItems(watching.url, workflowId);
      await stream.ended(30_000);
      expect(textOf(stream, 'tokens')).toBe('Hello from Python.');
      expect(shownIn(stream).filter((line) => line.startsWith('status: '))).toEqual([
        'status: {"state":"started"}',
        'status: {"state":"done"}',
      ]);
      const usage = stream.frames.map(({ data }) => data && JSON.parse(data).usage).find(Boolean);
      expect(usage).toEqual({ inputTokens: 2, outputTokens: 4, totalTokens: 6, model: 'stand-in' });
    }, 60_000);
  });
});
