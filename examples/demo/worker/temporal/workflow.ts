// The digest as a Temporal workflow: the same steps; an activity does the work of each child.
import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import { streamed } from '../../../../src/temporal/workflow/index.ts';
import type { TextFile } from '../../files.ts';
import { allSettled, readAll, STEPS } from '../steps.ts';
import type { Activities } from './activities.ts';

const { read, contents, report } = proxyActivities<Activities>({
  startToCloseTimeout: '5 minutes',
  // Cancellations arrive with heartbeats and are awaited, because a child must not outlive its workflow.
  heartbeatTimeout: '3 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { maximumAttempts: 3 },
});

export const digest = streamed(async function digest(stream, files: TextFile[]) {
  const id = stream.executionId;
  stream.status('RUNNING', STEPS.read);
  const texts = await readAll(files, async (file, number) => {
    const { path } = file;
    const tool = { toolCallId: `read-${number}`, toolName: 'read_file', args: { path } };
    stream.toolCall({ ...tool, status: 'started' });
    const task = { kind: 'task', taskId: path, executionId: `${id}-read-${number}` } as const;
    const text = await stream.child(task, () => read(id, file, number));
    stream.toolCall({ ...tool, status: 'succeeded', result: { lines: text.lines, words: text.words } });
    return text;
  });

  stream.status('RUNNING', STEPS.write);
  const agent = (agentId: string, action: string) =>
    ({ kind: 'agent', agentId, action, executionId: `${id}-${agentId}` }) as const;
  await allSettled([
    stream.child(agent('contents', 'make-contents'), () => contents(id, texts)),
    stream.child(agent('report', 'write-report'), () => report(id, texts)),
  ]);
  return { files: texts.length, words: texts.reduce((sum, { words }) => sum + words, 0) };
});
