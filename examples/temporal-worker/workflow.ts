// The workflow: its status events, and the task and the agent that it runs.
import { proxyActivities } from '@temporalio/workflow';
import { streamed } from '../../src/temporal/workflow/index.ts';
import type { Activities } from './activities.ts';

const { research, write } = proxyActivities<Activities>({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '10 seconds',
  retry: { maximumAttempts: 3 },
});

export const digest = streamed(async function digest(stream, topic: string) {
  stream.status('RUNNING', 'researching');
  const facts = await stream.child({ kind: 'task', taskId: 'research' }, (id) => research(id, topic));
  stream.status('RUNNING', 'writing');
  return stream.child({ kind: 'agent', agentId: 'writer' }, (id) => write(id, facts));
});
