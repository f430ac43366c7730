// What a workflow has others do, as tasks of its stream: activities, child workflows and Nexus operations.
//
// Invariants
// 1. A task has one start, and no status after its final one.
// 2. A child workflow has its execution id from the moment it exists: its start is announced by its name alone, so that
//    no viewer follows a link to an execution that Temporal does not know yet.
import type { ChildKind, ExecutionStatus } from '../../event/events.ts';
import { isFinal } from '../../event/events.ts';
import { failureMessage } from '../shared/failure.ts';
import type { HistoryEvent } from '../shared/history-event.ts';
import { attemptStep, displayName, taskIdOf } from './display-names.ts';
import type { ToExecutionId } from './namespace-ids.ts';
import type { WorkflowRun } from './temporal-client.ts';
import type { HistoryMapping, UnnumberedEvent } from './unnumbered-event.ts';

interface Task {
  readonly taskId: string;
  readonly executionId?: string;
  readonly executionKind?: ChildKind;
}

type EventId = HistoryEvent['eventId'];

/** Temporal's causes for a child that could not be started. */
const START_FAILURES: Readonly<Record<number, string>> = {
  1: 'a workflow with this id exists already',
  2: 'Temporal does not know the namespace',
  3: 'the versioning override is invalid',
};

/** Creates the mappers of tasks for one history. They remember the open tasks. */
export function createTaskMapping(run: WorkflowRun, toExecutionId: ToExecutionId) {
  const activities = new OpenTasks();
  const children = new OpenTasks();
  const operations = new OpenTasks();

  /** The execution of a workflow, if that is watched. */
  function executionOf(workflowId: string | null | undefined, namespace: string | null | undefined) {
    const executionId = toExecutionId(namespace || run.namespace, workflowId ?? '');
    return executionId === undefined ? undefined : ({ executionId, executionKind: 'WORKFLOW' } as const);
  }

  return {
    activityTaskScheduledEventAttributes: ({ activityType, activityId }, { eventId }) =>
      activities.start(eventId, { taskId: taskIdOf(activityType?.name, activityId) }),
    // An activity has this event once it is over; what it does before is not in the history (in-flight-watch.ts).
    activityTaskStartedEventAttributes: ({ scheduledEventId, attempt, lastFailure }) =>
      activities.status(scheduledEventId, 'RUNNING', attemptStep(attempt, lastFailure)),
    activityTaskCompletedEventAttributes: ({ scheduledEventId }) =>
      activities.status(scheduledEventId, 'SUCCESS'),
    activityTaskFailedEventAttributes: ({ scheduledEventId, failure }) =>
      activities.status(scheduledEventId, 'FAILED', failureMessage(failure)),
    activityTaskTimedOutEventAttributes: ({ scheduledEventId, failure }) =>
      activities.status(scheduledEventId, 'TIMED_OUT', failureMessage(failure)),
    activityTaskCancelRequestedEventAttributes: ({ scheduledEventId }) =>
      activities.status(scheduledEventId, 'RUNNING', 'cancellation requested'),
    activityTaskCanceledEventAttributes: ({ scheduledEventId }) =>
      activities.status(scheduledEventId, 'CANCELED'),
    activityPropertiesModifiedExternallyEventAttributes: ({ scheduledEventId }) =>
      activities.status(scheduledEventId, 'RUNNING', 'options updated'),

    startChildWorkflowExecutionInitiatedEventAttributes({ workflowId, workflowType }, { eventId }) {
      const taskId = displayName(`${workflowType?.name ?? 'workflow'}#${workflowId ?? ''}`);
      return children.start(eventId, { taskId, executionKind: 'WORKFLOW' });
    },
    startChildWorkflowExecutionFailedEventAttributes({ initiatedEventId, cause }) {
      const reason = START_FAILURES[cause ?? 0];
      const text = `the child workflow could not be started${reason ? `: ${reason}` : ''}`;
      return children.status(initiatedEventId, 'FAILED', text);
    },
    childWorkflowExecutionStartedEventAttributes({ initiatedEventId, workflowExecution, namespace }) {
      children.link(initiatedEventId, executionOf(workflowExecution?.workflowId, namespace));
      return children.status(initiatedEventId, 'RUNNING');
    },
    childWorkflowExecutionCompletedEventAttributes: ({ initiatedEventId }) =>
      children.status(initiatedEventId, 'SUCCESS'),
    childWorkflowExecutionFailedEventAttributes: ({ initiatedEventId, failure }) =>
      children.status(initiatedEventId, 'FAILED', failureMessage(failure)),
    childWorkflowExecutionTimedOutEventAttributes: ({ initiatedEventId }) =>
      children.status(initiatedEventId, 'TIMED_OUT'),
    childWorkflowExecutionTerminatedEventAttributes: ({ initiatedEventId }) =>
      children.status(initiatedEventId, 'TERMINATED'),
    childWorkflowExecutionCanceledEventAttributes: ({ initiatedEventId }) =>
      children.status(initiatedEventId, 'CANCELED'),

    nexusOperationScheduledEventAttributes({ service, operation }, { eventId }) {
      return operations.start(eventId, { taskId: taskIdOf(`${service}.${operation}`, String(eventId)) });
    },
    nexusOperationStartedEventAttributes({ scheduledEventId }, { links }) {
      // An operation that a workflow runs: its stream has the details.
      const handler = links?.find(({ workflowEvent }) => workflowEvent)?.workflowEvent;
      operations.link(scheduledEventId, executionOf(handler?.workflowId, handler?.namespace));
      return operations.status(scheduledEventId, 'RUNNING');
    },
    nexusOperationCompletedEventAttributes: ({ scheduledEventId }) =>
      operations.status(scheduledEventId, 'SUCCESS'),
    nexusOperationFailedEventAttributes: ({ scheduledEventId, failure }) =>
      operations.status(scheduledEventId, 'FAILED', failureMessage(failure)),
    nexusOperationTimedOutEventAttributes: ({ scheduledEventId, failure }) =>
      operations.status(scheduledEventId, 'TIMED_OUT', failureMessage(failure)),
    nexusOperationCanceledEventAttributes: ({ scheduledEventId }) =>
      operations.status(scheduledEventId, 'CANCELED'),
    nexusOperationCancelRequestedEventAttributes: ({ scheduledEventId }) =>
      operations.status(scheduledEventId, 'RUNNING', 'cancellation requested'),
    nexusOperationCancelRequestCompletedEventAttributes: ({ scheduledEventId }) =>
      operations.status(scheduledEventId, 'RUNNING', 'cancellation delivered'),
    nexusOperationCancelRequestFailedEventAttributes: ({ scheduledEventId, failure }) =>
      operations.status(scheduledEventId, 'RUNNING', `cancellation failed: ${failureMessage(failure)}`),
  } satisfies Partial<HistoryMapping>;
}

/** The open tasks of one kind, by the id of the event that announced them. */
class OpenTasks {
  readonly #tasks = new Map<string, Task>();

  start(eventId: EventId, task: Task): UnnumberedEvent {
    this.#tasks.set(String(eventId), task);
    return { type: 'task_start', data: task };
  }

  /** @param execution what runs the task; undefined if it cannot be watched */
  link(eventId: EventId, execution: Omit<Task, 'taskId'> | undefined): void {
    const task = this.#tasks.get(String(eventId));
    if (task && execution) this.#tasks.set(String(eventId), { taskId: task.taskId, ...execution });
  }

  /** The status of a task; undefined for one that has ended, or whose start is not in the history. */
  status(eventId: EventId, to: ExecutionStatus, reason?: string): UnnumberedEvent | undefined {
    const task = this.#tasks.get(String(eventId));
    if (!task) return undefined;
    if (isFinal(to)) this.#tasks.delete(String(eventId));
    return {
      type: 'task_status',
      data: { status: to, ...(reason !== undefined && { step: reason }), ...task },
    };
  }
}
