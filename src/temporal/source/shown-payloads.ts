// The inputs and results of tasks in a history, if a setting or the application shows payloads: those of activities,
// child workflows and Nexus operations.
//
// They are read before the history is mapped. The mapping depends on the history alone, so that each reader gets the same
// events: a codec server that is unavailable is waited for, as for the messages of failures.
import type { EventData } from '../../event/events.ts';
import type { HistoryEvent } from '../shared/history-event.ts';
import {
  decodeArguments,
  decodeFirst,
  type Payload,
  type PayloadDecoder,
  type Payloads,
} from '../shared/payloads.ts';

/** The fields that an event of a task gets. */
export type ShownPayload = Pick<EventData['task_start'], 'input'> | Pick<EventData['task_status'], 'result'>;

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

interface TaskPayloads {
  readonly field: 'input' | 'result';
  readonly payloads: readonly Payload[];
}

function payloadsOf(event: HistoryEvent): TaskPayloads | undefined {
  const input =
    event.activityTaskScheduledEventAttributes?.input?.payloads ??
    event.startChildWorkflowExecutionInitiatedEventAttributes?.input?.payloads ??
    listOf(event.nexusOperationScheduledEventAttributes?.input);
  if (input?.length) return { field: 'input', payloads: input };
  const result =
    event.activityTaskCompletedEventAttributes?.result?.payloads ??
    event.childWorkflowExecutionCompletedEventAttributes?.result?.payloads ??
    listOf(event.nexusOperationCompletedEventAttributes?.result) ??
    event.markerRecordedEventAttributes?.details?.result?.payloads;
  return result?.length ? { field: 'result', payloads: result } : undefined;
}

function listOf(payload: Payload | null | undefined): Payload[] | undefined {
  return payload ? [payload] : undefined;
}
