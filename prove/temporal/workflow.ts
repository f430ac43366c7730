// A workflow of the proof: runs a task and an agent as activities, and publishes its own events between them.
import { proxyActivities } from '@temporalio/workflow';
import { streamed } from '../../src/temporal/workflow/index.ts';
import type { Activities } from './activities.ts';
import type { WorkflowPlan } from './plan.ts';

const { publish } = proxyActivities<Activities>({
  startToCloseTimeout: '5 minutes',
  // Detects a killed worker.
  heartbeatTimeout: '3 seconds',
  retry: { initialInterval: '500 milliseconds', maximumInterval: '2 seconds' },
});

export const study = streamed(async function study(stream, { steps, children }: WorkflowPlan) {
  const pieces: number[] = [];
  for (const plan of children) {
    stream.status('RUNNING', `before ${plan.id}`);
    for (let n = 0; n < steps; n += 1) {
      const call = { toolCallId: `${plan.id}-${n}`, toolName: 'look_up', args: { n } };
      stream.toolCall({ ...call, status: 'started' });
      stream.toolCall({ ...call, status: 'succeeded', result: { n } });
    }
    const { id: executionId } = plan;
    const child =
      plan.kind === 'task'
        ? ({ kind: 'task', taskId: 'collect', executionId } as const)
        : ({ kind: 'agent', agentId: 'author', executionId } as const);
    pieces.push(await stream.child(child, () => publish(plan)));
  }
  return { pieces };
});
