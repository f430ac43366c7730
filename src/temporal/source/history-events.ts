// The history of a workflow that does not use execstream, as events of a stream.
//
// Invariants
// 1. What an event of the history maps to depends only on the history up to it: every reader that starts at the first event
//    numbers the events identically, without gaps. So the texts here are stable; a change of what an event maps to needs
//    another `MAPPING_VERSION` (history-numbering.ts). It is one event of the stream or none here, and any number for the
//    messages of Workflow Streams (workflow-streams/).
// 2. No payload is shown unless the application or a setting shows it (shown-payloads.ts): inputs and results may be secret.
//    Names, types, ids, reasons and the messages of failures are shown, and what the user wrote for display (summaries). The
//    payload of a step is part of its text.
import { type OpenStatus, timestamp } from '../../event/events.ts';
import type { CloseEvent } from '../shared/close-event.ts';
import { type HistoryEvent, toMs } from '../shared/history-event.ts';
import { summaryOf } from './display-names.ts';
import { MARKER_MAPPING } from './history-markers.ts';
import { createStepMapping } from './history-steps.ts';
import { createTaskMapping } from './history-tasks.ts';
import { createWorkflowTaskMapping } from './history-workflow-tasks.ts';
import { idsWithin, type ToExecutionId } from './namespace-ids.ts';
import { type ShownPayload, stepPayload } from './shown-payloads.ts';
import type { WorkflowRun } from './temporal-client.ts';
import {
  type AttributesKey,
  type HistoryMapping,
  step,
  type UnnumberedEvent,
  warning,
} from './unnumbered-event.ts';

const hidden = () => undefined;

/** The caller emits the end, or the event between two runs. */
const CLOSE_EVENTS = {
  workflowExecutionCompletedEventAttributes: hidden,
  workflowExecutionFailedEventAttributes: hidden,
  workflowExecutionTimedOutEventAttributes: hidden,
  workflowExecutionTerminatedEventAttributes: hidden,
  workflowExecutionCanceledEventAttributes: hidden,
  workflowExecutionContinuedAsNewEventAttributes: hidden,
} satisfies Partial<HistoryMapping>;

/**
 * Creates the mapper of one run's history. Pass it every event from the first, in order.
 * @param isContinued whether the run continues one whose events precede it in the same stream.
 * @param toExecutionId names the workflows that it starts; by default those of its namespace
 * @param payloadOf the input or result of an event, if it is shown. @default none is
 * @returns a function that maps an event; undefined for one that viewers do not see, and for close events.
 */
export function createHistoryMapper(
  run: WorkflowRun,
  isContinued: boolean,
  toExecutionId: ToExecutionId = idsWithin(run.namespace),
  payloadOf: (event: HistoryEvent) => ShownPayload | undefined = () => undefined,
) {
  const mapping: HistoryMapping = {
    workflowExecutionStartedEventAttributes() {
      const { workflowId, workflowType, runId } = run;
      return isContinued ? undefined : { type: 'workflow_start', data: { workflowId, workflowType, runId } };
    },
    ...createTaskMapping(run, toExecutionId),
    ...createStepMapping(),
    ...createWorkflowTaskMapping(),
    ...MARKER_MAPPING,
    ...CLOSE_EVENTS,
  };
  const keys = Object.keys(mapping) as AttributesKey[];
  let status: OpenStatus = 'RUNNING';

  return (event: HistoryEvent): UnnumberedEvent | undefined => {
    const key = keys.find((name) => event[name]);
    if (!key) return undefined;
    if (key === 'workflowExecutionPausedEventAttributes') status = 'PAUSED';
    if (key === 'workflowExecutionUnpausedEventAttributes') status = 'RUNNING';
    const map = mapping[key] as (attributes: unknown, event: HistoryEvent) => UnnumberedEvent | undefined;
    const mapped = map(event[key], event);
    return mapped && complete(mapped, status, summaryOf(event), payloadOf(event));
  };
}

/** Adds what does not depend on the type of the history's event. */
function complete(
  event: UnnumberedEvent,
  status: OpenStatus,
  summary: string | undefined,
  payload: ShownPayload | undefined,
): UnnumberedEvent {
  switch (event.type) {
    case 'workflow_status':
      return {
        ...event,
        data: { ...event.data, status, ...withDetails(event.data, summary, stepPayload(payload)) },
      };
    case 'task_status':
      return { ...event, data: { ...event.data, ...withDetails(event.data, summary), ...payload } };
    case 'task_start':
      return { ...event, data: { ...event.data, ...(summary !== undefined && { summary }), ...payload } };
    default:
      return event;
  }
}

function withDetails(
  { step: name }: { readonly step?: string },
  ...details: readonly (string | undefined)[]
): { step?: string } {
  const known = details.filter((detail) => detail !== undefined);
  return known.length === 0 ? {} : { step: [...(name === undefined ? [] : [name]), ...known].join(': ') };
}

/** The event between a run that closed and the next one. */
export function continuationEvent({ status, message, continuation }: CloseEvent): UnnumberedEvent {
  if (status === 'CONTINUED') return step('continued as new');
  if (continuation === 'retried') return warning('ATTEMPT_FAILED', message || status);
  if (continuation === 'cron' && status !== 'SUCCESS') return warning('RUN_FAILED', message || status);
  return { type: 'workflow_status', data: { status: 'WAITING', step: 'next cron run' } };
}

/** The time of an event of a history. */
export function timeOf(event: HistoryEvent): string {
  return timestamp(new Date(toMs(event.eventTime)));
}
