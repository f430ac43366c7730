// What happens to a workflow itself, as steps of its stream: signals, updates, timers, messages to other workflows, and
// changes of its properties.
import { failureMessage } from '../shared/failure.ts';
import { type HistoryEvent, toMs } from '../shared/history-event.ts';
import { displayName, summaryOf } from './display-names.ts';
import { type HistoryMapping, step } from './unnumbered-event.ts';

type EventId = HistoryEvent['eventId'];

/** Temporal's causes for a message that could not be delivered to another workflow. */
const DELIVERY_FAILURES: Readonly<Record<number, string>> = {
  1: 'Temporal does not know the workflow',
  2: 'Temporal does not know the namespace',
  3: 'the workflow has too many signals',
};

/** Creates the mappers of signals, updates, timers and messages for one history. They remember the names. */
export function createStepMapping() {
  const timers = new Map<string, { readonly name: string; readonly summary: string | undefined }>();
  const messages = new Map<string, string>();
  const updates = new Map<string, string>();

  function timer(eventId: EventId, what: string) {
    const { name = 'timer', summary } = timers.get(String(eventId)) ?? {};
    timers.delete(String(eventId));
    return step(`${name} ${what}`, summary);
  }

  /** A signal or a request to cancel that is sent to another workflow. */
  function send({ eventId }: HistoryEvent, message: string) {
    messages.set(String(eventId), message);
    return step(message);
  }

  function delivery(eventId: EventId, what: string, cause?: number | null) {
    const message = messages.get(String(eventId)) ?? 'message to another workflow';
    messages.delete(String(eventId));
    return step(`${message} ${what}`, DELIVERY_FAILURES[cause ?? 0]);
  }

  function update(updateId: string | null | undefined, what: string, reason?: string) {
    return step(`update ${updates.get(updateId ?? '') ?? updateId ?? ''} ${what}`, reason);
  }

  function nameUpdate(updateId: string | null | undefined, name: string | null | undefined): void {
    if (updateId && name) updates.set(updateId, displayName(name));
  }

  return {
    workflowExecutionSignaledEventAttributes({ signalName, externalWorkflowExecution }) {
      const sender = externalWorkflowExecution?.workflowId;
      return step(`signal ${signalName ?? ''}${sender ? ` from ${sender}` : ''}`);
    },
    workflowExecutionCancelRequestedEventAttributes: ({ cause }) =>
      step('cancellation requested', cause && displayName(cause)),

    workflowExecutionUpdateAdmittedEventAttributes({ request }) {
      nameUpdate(request?.meta?.updateId, request?.input?.name);
      return update(request?.meta?.updateId, 'admitted');
    },
    workflowExecutionUpdateAcceptedEventAttributes({ protocolInstanceId, acceptedRequest }) {
      nameUpdate(protocolInstanceId, acceptedRequest?.input?.name);
      return update(protocolInstanceId, 'accepted');
    },
    // Temporal does not record rejections at present.
    workflowExecutionUpdateRejectedEventAttributes({ protocolInstanceId, rejectedRequest, failure }) {
      nameUpdate(protocolInstanceId, rejectedRequest?.input?.name);
      return update(protocolInstanceId, 'rejected', failureMessage(failure));
    },
    workflowExecutionUpdateCompletedEventAttributes({ meta, outcome }) {
      const failure = outcome?.failure;
      if (failure) return update(meta?.updateId, 'failed', failureMessage(failure));
      return update(meta?.updateId, 'completed');
    },

    timerStartedEventAttributes({ timerId, startToFireTimeout }, event) {
      const seconds = Number(startToFireTimeout?.seconds ?? 0) + (startToFireTimeout?.nanos ?? 0) / 1e9;
      const name = `timer ${timerId ?? ''} (${Number(seconds.toFixed(3))} s)`;
      timers.set(String(event.eventId), { name, summary: summaryOf(event) });
      return step(name);
    },
    timerFiredEventAttributes: ({ startedEventId }) => timer(startedEventId, 'fired'),
    timerCanceledEventAttributes: ({ startedEventId }) => timer(startedEventId, 'cancelled'),

    signalExternalWorkflowExecutionInitiatedEventAttributes: ({ signalName, workflowExecution }, event) =>
      send(event, `signal ${signalName ?? ''} to ${workflowExecution?.workflowId ?? ''}`),
    signalExternalWorkflowExecutionFailedEventAttributes: ({ initiatedEventId, cause }) =>
      delivery(initiatedEventId, 'failed', cause),
    externalWorkflowExecutionSignaledEventAttributes: ({ initiatedEventId }) =>
      delivery(initiatedEventId, 'delivered'),
    requestCancelExternalWorkflowExecutionInitiatedEventAttributes: ({ workflowExecution }, event) =>
      send(event, `request to cancel ${workflowExecution?.workflowId ?? ''}`),
    requestCancelExternalWorkflowExecutionFailedEventAttributes: ({ initiatedEventId, cause }) =>
      delivery(initiatedEventId, 'failed', cause),
    externalWorkflowExecutionCancelRequestedEventAttributes: ({ initiatedEventId }) =>
      delivery(initiatedEventId, 'delivered'),

    // The mapper of the history sets the status of these and of all other steps.
    workflowExecutionPausedEventAttributes: ({ reason }) => step('paused', reason && displayName(reason)),
    workflowExecutionUnpausedEventAttributes: ({ reason }) => step('unpaused', reason && displayName(reason)),

    upsertWorkflowSearchAttributesEventAttributes: ({ searchAttributes }) =>
      updated('search attributes', searchAttributes?.indexedFields),
    workflowPropertiesModifiedEventAttributes: ({ upsertedMemo }) => updated('memo', upsertedMemo?.fields),
    workflowPropertiesModifiedExternallyEventAttributes: ({ upsertedMemo, newTaskQueue }) =>
      updated('memo', upsertedMemo?.fields) ??
      step(newTaskQueue ? `task queue ${newTaskQueue}` : 'properties updated'),
    workflowExecutionOptionsUpdatedEventAttributes: (options) =>
      step('options updated', optionsOf(options).join(', ')),
    workflowExecutionTimeSkippingTransitionedEventAttributes: ({ targetTime }) =>
      step(
        targetTime ? `time skipped to ${new Date(toMs(targetTime)).toISOString()}` : 'time skipping ended',
      ),
  } satisfies Partial<HistoryMapping>;
}

/**
 * The names of the fields that changed, without their values. Sorted, because the fields of a map have no order on the
 * wire. The attributes that Temporal and its SDKs keep for themselves are omitted.
 */
function updated(what: string, fields: object | null | undefined) {
  const names = Object.keys(fields ?? {}).filter((name) => !/^(?:Temporal|BuildIds$)/.test(name));
  return names.length > 0 ? step(`${what} ${names.sort().join(', ')} updated`) : undefined;
}

type OptionsUpdate = Parameters<
  NonNullable<HistoryMapping['workflowExecutionOptionsUpdatedEventAttributes']>
>[0];

/** What an update of the options changed. */
function optionsOf(options: OptionsUpdate): string[] {
  const { versioningOverride, unsetVersioningOverride, priority, attachedRequestId } = options;
  const version = versioningOverride?.pinned?.version ?? versioningOverride?.oneTime?.targetDeploymentVersion;
  const pinned = version ? `${version.deploymentName}.${version.buildId}` : versioningOverride?.pinnedVersion;
  return [
    pinned && `pinned to version ${displayName(pinned)}`,
    versioningOverride && !pinned && (versioningOverride.pinned ? 'pinned' : 'upgraded automatically'),
    unsetVersioningOverride && 'versioning override removed',
    priority && 'priority',
    attachedRequestId && 'another start request attached',
    options.timeSkippingConfigUpdated && 'time skipping',
  ].filter((part) => typeof part === 'string' && part !== '') as string[];
}
