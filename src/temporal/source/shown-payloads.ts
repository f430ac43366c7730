// The inputs and results in a history, if a setting or the application shows payloads: those of activities, child
// workflows and Nexus operations, which are tasks, and those of signals and updates, which are steps.
//
// They are read before the history is mapped. The mapping depends on the history alone, so that each reader gets the same
// events: a codec server that is unavailable is waited for, as for the messages of failures.
import type { EventData } from '../../event/events.ts';
import { startOf } from '../../event/text.ts';
import type { HistoryEvent } from '../shared/history-event.ts';
import {
  decodeArguments,
  decodeFirst,
  type Payload,
  type PayloadDecoder,
  type Payloads,
} from '../shared/payloads.ts';

/** How the names of signals and updates of Temporal's libraries start. */
const RESERVED_NAMES = '__temporal_';

/** The fields that an event of a task gets. */
export type ShownPayload = Pick<EventData['task_start'], 'input'> | Pick<EventData['task_status'], 'result'>;

/** A step shows its payload as JSON, up to this number of UTF-16 code units. */
const MAX_STEP_UNITS = 1_000;

/** The payload of a signal or an update as part of a step. */
export function stepPayload(payload: ShownPayload | undefined): string | undefined {
  if (!payload) return undefined;
  const text = JSON.stringify('input' in payload ? payload.input : (payload as { result?: unknown }).result);
  return text && (text.length > MAX_STEP_UNITS ? `${startOf(text, MAX_STEP_UNITS)}…` : text);
}

export interface ShownPayloads {
  /**
   * Decodes the payloads of events.
   * @throws as the codec
   */
  read(events: readonly HistoryEvent[]): Promise<void>;
  /** What an event that was read shows. */
  of(event: HistoryEvent): ShownPayload | undefined;
}

/** Shows nothing. */
export const NO_PAYLOADS: ShownPayloads = { read: async () => {}, of: () => undefined };

/**
 * @param codec decodes payloads that a codec has encoded
 * @param decode decides what is shown
 */
export function createShownPayloads(
  codec: (payloads: readonly Payload[]) => Promise<readonly Payload[]>,
  decode: PayloadDecoder,
): ShownPayloads {
  const shown = new WeakMap<HistoryEvent, ShownPayload>();

  return {
    async read(events) {
      const found = events.flatMap((event) => {
        const payloads = payloadsOf(event);
        return payloads ? [{ event, ...payloads }] : [];
      });
      if (found.length === 0) return;
      // One request for a page of the history.
      const decoded = [...(await codec(found.flatMap(({ payloads }) => payloads)))];
      for (const { event, field, payloads } of found) {
        const plain: Payloads = { payloads: decoded.splice(0, payloads.length) };
        if (field === 'input') {
          const input = await decodeArguments(plain, decode);
          if (input !== undefined) shown.set(event, { input });
        } else {
          const result = await decodeFirst(plain, decode);
          if (result !== undefined) shown.set(event, { result });
        }
      }
    },
    of: (event) => shown.get(event),
  };
}

interface FieldPayloads {
  readonly field: 'input' | 'result';
  readonly payloads: readonly Payload[];
}

function payloadsOf(event: HistoryEvent): FieldPayloads | undefined {
  const input =
    event.activityTaskScheduledEventAttributes?.input?.payloads ??
    event.startChildWorkflowExecutionInitiatedEventAttributes?.input?.payloads ??
    listOf(event.nexusOperationScheduledEventAttributes?.input) ??
    messageOf(event);
  if (input?.length) return { field: 'input', payloads: input };
  const result =
    event.activityTaskCompletedEventAttributes?.result?.payloads ??
    event.childWorkflowExecutionCompletedEventAttributes?.result?.payloads ??
    listOf(event.nexusOperationCompletedEventAttributes?.result) ??
    event.markerRecordedEventAttributes?.details?.result?.payloads ??
    event.workflowExecutionUpdateCompletedEventAttributes?.outcome?.success?.payloads;
  return result?.length ? { field: 'result', payloads: result } : undefined;
}

/** What a signal or an update brings, except for those of Temporal's own libraries. */
function messageOf(event: HistoryEvent): Payload[] | null | undefined {
  const signal = event.workflowExecutionSignaledEventAttributes;
  const { input: update } =
    event.workflowExecutionUpdateAdmittedEventAttributes?.request ??
    event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest ??
    {};
  const name = signal?.signalName ?? update?.name;
  if (name?.startsWith(RESERVED_NAMES)) return undefined;
  return signal?.input?.payloads ?? update?.args?.payloads;
}

function listOf(payload: Payload | null | undefined): Payload[] | undefined {
  return payload ? [payload] : undefined;
}
