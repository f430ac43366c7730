// The children of a workflow in its state: agents, tasks and child workflows, and the attempts of its tasks.
import type {
  ChildKind,
  EventData,
  ExecutionEvent,
  ExecutionKind,
  ExecutionStatus,
  JsonValue,
} from './events.ts';
import { upsert } from './upsert.ts';

/** The attempt of a task that is in flight. */
interface TaskAttempt {
  /** From 1; absent until an event has it. */
  readonly taskAttempt?: number;
  /** When the next attempt starts, while the task waits for that: RFC 3339. */
  readonly nextAttemptAt?: string;
  /** What the task last reported of its progress; kept when it ends. */
  readonly progress?: JsonValue;
  /** The progress that was reported last is too large; `progressBytes` is its size. */
  readonly progressOmitted?: boolean;
  readonly progressBytes?: number;
}

/** An agent, a task or a child workflow of a workflow. */
export interface ChildState extends TaskAttempt {
  /** Absent for a task that is not an execution itself, such as a Temporal activity. */
  readonly executionId?: string;
  readonly kind: ExecutionKind;
  /** The agent id or task id; absent until an event has it. */
  readonly name?: string;
  /** What a task does, in words for people. */
  readonly summary?: string;
  readonly status: ExecutionStatus;
  readonly step?: string;
}

/** An event about the execution itself, or about a child. */
export type SubjectEvent = ExecutionEvent<'agent_start' | 'agent_status' | 'task_start' | 'task_status'>;

/** The children after an event about one of them. */
export function changeChild(
  children: readonly ChildState[],
  { type, data }: SubjectEvent,
  change: Pick<ChildState, 'status' | 'step'>,
): readonly ChildState[] {
  const { executionId, agentId, taskId, summary, executionKind } = data as ChildData;
  const kind = kindOf(type, executionKind);
  const name: string | undefined = agentId ?? taskId;
  if (executionId === undefined && name === undefined) return children;
  const hasId = (child: ChildState) => child.executionId === executionId;
  const hasName = (child: ChildState) => child.name === name && child.kind === kind;
  // A child may be announced by its name alone, and get its execution id with a later status.
  const isFirstId = executionId !== undefined && type.endsWith('_status') && !children.some(hasId);
  const isAnnounced = (child: ChildState) => child.executionId === undefined && hasName(child);
  const isSame = executionId === undefined ? hasName : isFirstId ? isAnnounced : hasId;
  const named = {
    ...(executionId !== undefined && { executionId }),
    ...(name !== undefined && { name }),
    ...(summary !== undefined && { summary }),
  };
  const kindAfter = (old?: ChildState) => (executionKind === undefined ? (old?.kind ?? kind) : kind);
  return upsert(children, isSame, (old) => ({
    ...{ ...old, ...named, kind: kindAfter(old), ...change },
    ...attemptAfter(old, type === 'task_status' ? data : undefined),
  }));
}

type ChildData = EventData['agent_start'] & EventData['task_start'];

/**
 * How the attempt changes. Its number and its progress stay until an event has others.
 * @param data of a status; undefined for a start, which begins with no attempt
 */
function attemptAfter(old: TaskAttempt | undefined, data: EventData['task_status'] | undefined): TaskAttempt {
  if (!data) return old && Object.keys(NO_ATTEMPT).some((name) => name in old) ? NO_ATTEMPT : {};
  const { taskAttempt, nextAttemptAt, progress, progressOmitted, progressBytes } = data;
  const hasProgress = progress !== undefined || progressOmitted;
  return {
    ...(taskAttempt !== undefined && { taskAttempt }),
    ...((nextAttemptAt ?? old?.nextAttemptAt) !== undefined && { nextAttemptAt }),
    ...(hasProgress && { progress, progressOmitted, progressBytes }),
  };
}

const NO_ATTEMPT: TaskAttempt = {
  taskAttempt: undefined,
  nextAttemptAt: undefined,
  progress: undefined,
  progressOmitted: undefined,
  progressBytes: undefined,
};

function kindOf(type: SubjectEvent['type'], executionKind: ChildKind | undefined): ExecutionKind {
  if (executionKind !== undefined) return executionKind.toLowerCase() as ExecutionKind;
  return type.startsWith('agent') ? 'agent' : 'task';
}
