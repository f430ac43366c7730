// The events that a workflow emits for an agent or a task that it runs.
import { isCancellation, TimeoutFailure } from '@temporalio/workflow';
import type { EventData, ExecutionStatus } from '../../event/events.ts';
import type { Child } from './options.ts';

type ChildType = 'agent_start' | 'agent_status' | 'task_start' | 'task_status';
export type ChildEvent = { [T in ChildType]: [type: T, data: EventData[T]] }[ChildType];

export function childStart(child: Child, executionId: string): ChildEvent {
  if (child.kind === 'task') return ['task_start', { taskId: child.taskId, executionId }];
  const action = child.action === undefined ? {} : { action: child.action };
  return ['agent_start', { agentId: child.agentId, ...action, executionId }];
}

/** @param error the error that the child finally failed with; undefined if it succeeded. */
export function childEnd(child: Child, executionId: string, error: unknown): ChildEvent {
  const status = statusOf(error);
  return child.kind === 'task'
    ? ['task_status', { status, taskId: child.taskId, executionId }]
    : ['agent_status', { status, executionId }];
}

function statusOf(error: unknown): ExecutionStatus {
  if (error === undefined) return 'SUCCESS';
  if (isCancellation(error)) return 'CANCELED';
  const cause = error instanceof Error ? error.cause : undefined;
  return error instanceof TimeoutFailure || cause instanceof TimeoutFailure ? 'TIMED_OUT' : 'FAILED';
}
