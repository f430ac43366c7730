// Messages of Workflow Streams in a history, as the libraries write them.
import proto from '@temporalio/proto';
import type { JsonValue } from '../../../../src/event/events.ts';
import type { HistoryEvent } from '../../../../src/temporal/shared/history-event.ts';
import type { Payload } from '../../../../src/temporal/shared/payloads.ts';
import {
  type ItemHistory,
  POLL_ID_PREFIX,
} from '../../../../src/temporal/source/workflow-streams/item-history.ts';
import type { OffsetItem } from '../../../../src/temporal/source/workflow-streams/wire-format.ts';
import { historyEvent, type Sample } from '../history-samples.ts';

export function payloadOf(value: unknown, encoding = 'json/plain'): Payload {
  const data = value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value));
  return { metadata: { encoding: Buffer.from(encoding) }, data };
}

const payloadsOf = (value: unknown) => ({ payloads: [payloadOf(value)] });

export function wireOf(payload: Payload): string {
  return Buffer.from(proto.temporal.api.common.v1.Payload.encode(payload).finish()).toString('base64');
}

/** An item of topic `t`. */
export function item(value: JsonValue, offset = 0, topic = 't'): OffsetItem {
  return { topic, data: wireOf(payloadOf(value)), offset };
}

export function publish(items: readonly OffsetItem[], publisherId = '', sequence = 0): Sample {
  const entries = items.map(({ topic, data }) => ({ topic, data }));
  const input = payloadsOf({ items: entries, publisher_id: publisherId, sequence });
  return ['WORKFLOW_EXECUTION_SIGNALED', { signalName: '__temporal_workflow_stream_publish', input }];
}

export interface PollOptions {
  readonly id?: string;
  readonly from?: number;
  readonly topics?: readonly string[];
}

/** A poll that the workflow accepted, and its result or the message of its failure. */
export function poll(outcome: readonly OffsetItem[] | string, options: PollOptions = {}): Sample[] {
  const { id = `${POLL_ID_PREFIX}1`, from = 0, topics = [] } = options;
  const name = '__temporal_workflow_stream_poll';
  const input = { name, args: payloadsOf({ topics, from_offset: from }) };
  const acceptedRequest = { meta: { updateId: id }, input };
  const result =
    typeof outcome === 'string'
      ? { failure: { message: outcome, applicationFailureInfo: { type: 'TruncatedOffset' } } }
      : { success: payloadsOf({ items: outcome, next_offset: 0, more_ready: false }) };
  return [
    ['WORKFLOW_EXECUTION_UPDATE_ACCEPTED', { protocolInstanceId: id, acceptedRequest }],
    ['WORKFLOW_EXECUTION_UPDATE_COMPLETED', { meta: { updateId: id }, outcome: result }],
  ];
}

/** The state that a run carries over, in TypeScript's form. */
export function carried(
  items: readonly OffsetItem[],
  base = 0,
  sequences: { readonly [publisherId: string]: number } = {},
): object {
  return {
    log: items.map(({ topic, data }) => ({ topic, data, offset: 0 })),
    base_offset: base,
    publisher_sequences: sequences,
    publisher_last_seen: {},
  };
}

export function started(input: unknown, continuedExecutionRunId = ''): Sample {
  return ['WORKFLOW_EXECUTION_STARTED', { input: payloadsOf(input), continuedExecutionRunId }];
}

export function continuedAsNew(input: unknown): Sample {
  return ['WORKFLOW_EXECUTION_CONTINUED_AS_NEW', { input: payloadsOf(input), newExecutionRunId: 'r2' }];
}

/** A workflow task that started after the event before it. */
export function taskCompleted(startedEventId: number): Sample {
  return ['WORKFLOW_TASK_COMPLETED', { startedEventId }];
}

export function eventsOf(...samples: readonly Sample[]): HistoryEvent[] {
  return samples.map((sample, i) => historyEvent(sample, i + 1));
}

/** The values of the items that a history shows. */
export async function shownBy(history: ItemHistory, ...samples: readonly Sample[]): Promise<unknown[]> {
  const values: unknown[] = [];
  const first = history.position.lastEventId;
  for (const [i, sample] of samples.entries()) {
    const { items } = await history.read(historyEvent(sample, first + i + 1));
    values.push(...items.map(({ value }) => value));
  }
  return values;
}
