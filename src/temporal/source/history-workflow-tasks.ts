// The tasks in which a worker runs the code of a workflow. Viewers see those that failed, the point to which a history was
// reset, and the version of the worker if it changes.
import { failureMessage } from '../shared/failure.ts';
import { displayName } from './display-names.ts';
import { type HistoryMapping, step, warning } from './unnumbered-event.ts';

/** Temporal's WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW. */
const RESET_WORKFLOW = 20;
/**
 * Causes that are no failures of the code: news arrived while the task ran (1, 31), the worker gave up its cache (13), the
 * workflow was closed from outside (17, 18), or it was paused (39).
 */
const HARMLESS_CAUSES: ReadonlySet<number> = new Set([1, 13, 17, 18, 31, 39]);

/** Temporal's TIMEOUT_TYPE_START_TO_CLOSE: a worker took the task. Other tasks go to another worker. */
const START_TO_CLOSE = 1;

type CompletedTask = Parameters<HistoryMapping['workflowTaskCompletedEventAttributes']>[0];

/** Creates the mappers of workflow tasks for one history. They remember the version of the worker. */
export function createWorkflowTaskMapping() {
  let knownVersion: string | undefined;

  return {
    workflowTaskScheduledEventAttributes: () => undefined,
    workflowTaskStartedEventAttributes: () => undefined,
    workflowTaskCompletedEventAttributes(task) {
      const version = versionOf(task);
      if (version === undefined || version === knownVersion) return undefined;
      knownVersion = version;
      return step(`worker version ${version}`);
    },
    workflowTaskTimedOutEventAttributes: ({ timeoutType }) =>
      timeoutType === START_TO_CLOSE
        ? warning('WORKFLOW_TASK_FAILED', 'the worker did not complete a workflow task in time')
        : undefined,
    workflowTaskFailedEventAttributes({ cause, failure, newRunId }) {
      // The history up to here was copied from the run that was reset.
      if (cause === RESET_WORKFLOW || newRunId) return step('reset', displayName(failure?.message ?? ''));
      if (!failure?.message || HARMLESS_CAUSES.has(cause ?? 0)) return undefined;
      return warning('WORKFLOW_TASK_FAILED', failureMessage(failure));
    },
  } satisfies Partial<HistoryMapping>;
}

/** The version of a worker that uses versioning. */
function versionOf(task: CompletedTask): string | undefined {
  const { deploymentVersion, workerDeploymentVersion, versioningBehavior, workerVersion } = task;
  if (workerVersion?.useVersioning && workerVersion.buildId) return displayName(workerVersion.buildId);
  if (!versioningBehavior) return undefined;
  if (!deploymentVersion?.buildId)
    return workerDeploymentVersion ? displayName(workerDeploymentVersion) : undefined;
  return displayName(`${deploymentVersion.deploymentName}.${deploymentVersion.buildId}`);
}
