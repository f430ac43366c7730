// The messages of Temporal's Workflow Streams (`@temporalio/workflow-streams`, `temporalio.contrib.workflow_streams`): a
// workflow keeps a list of items, which signals add to and which an update returns. Values from outside are not trusted.
import type { JsonValue } from '../../../event/events.ts';
import { decodePlainJson, type Payload } from '../../shared/payloads.ts';

/** The signal with which activities and clients publish items. */
export const PUBLISH_SIGNAL = '__temporal_workflow_stream_publish';
/** The update that returns the items from an offset on. */
export const POLL_UPDATE = '__temporal_workflow_stream_poll';
/** The query for the number of items that were published. */
export const OFFSET_QUERY = '__temporal_workflow_stream_offset';

/** An item. `data` is a payload: protobuf in base64. */
export interface WireItem {
  readonly topic: string;
  readonly data: string;
}

/** An item at its offset, which counts all items of the stream from 0. */
export interface OffsetItem extends WireItem {
  readonly offset: number;
}

/** A batch of items. A publisher that repeats a batch repeats its sequence, too. */
export interface Publication {
  readonly publisherId: string;
  readonly sequence: number;
  readonly items: readonly WireItem[];
}

/** What continue-as-new carries over to the next run. */
export interface CarriedStream {
  readonly items: readonly OffsetItem[];
  /** The last sequence of each publisher. */
  readonly sequences: ReadonlyMap<string, number>;
  /** The offset of the next item. */
  readonly nextOffset: number;
}

/** Reads the argument of the signal; undefined if it is not readable JSON. */
export function readPublication(payload: Payload | undefined): Publication | undefined {
  const input = payload && objectOf(decodePlainJson(payload));
  if (!input) return undefined;
  const { publisher_id: publisherId, sequence } = input;
  return {
    publisherId: typeof publisherId === 'string' ? publisherId : '',
    sequence: countOf(sequence),
    items: itemsOf(input.items),
  };
}

/** Reads the argument of the update: where it starts, if it is for all topics. */
export function readPollStart(payload: Payload | undefined): number | undefined {
  const input = payload && objectOf(decodePlainJson(payload));
  const isForAll = input && (!Array.isArray(input.topics) || input.topics.length === 0);
  return isForAll ? countOf(input.from_offset) : undefined;
}

/** Reads the result of the update; undefined if it is not readable JSON. */
export function readPollResult(payload: Payload | undefined): readonly OffsetItem[] | undefined {
  const result = payload && objectOf(decodePlainJson(payload));
  return result && itemsOf(result.items);
}

/** The offset to which a stream was truncated, from the message of a poll for older items. */
export function readTruncation(message: string): number | undefined {
  const [, offset] = /current base offset is (\d{1,15})/i.exec(message) ?? [];
  return offset === undefined ? undefined : Number(offset);
}

/** How deep the arguments of a workflow are searched for the state of its stream. */
const MAX_SEARCH_DEPTH = 8;

/** Finds the state of a stream among the arguments of a workflow that was continued as new. */
export function findCarriedStream(payloads: readonly Payload[]): CarriedStream | undefined {
  for (const payload of payloads) {
    const found = searchState(decodePlainJson(payload), 0);
    if (found) return found;
  }
  return undefined;
}

function searchState(value: JsonValue | undefined, depth: number): CarriedStream | undefined {
  if (typeof value !== 'object' || value === null || depth > MAX_SEARCH_DEPTH) return undefined;
  const state = Array.isArray(value) ? undefined : readState(value);
  if (state) return state;
  for (const member of Object.values(value)) {
    const found = searchState(member, depth + 1);
    if (found) return found;
  }
  return undefined;
}

function readState(value: { [key: string]: JsonValue }): CarriedStream | undefined {
  const { log, base_offset: base } = value;
  // TypeScript's and Python's fields.
  const publishers = objectOf(value.publisher_sequences) ?? objectOf(value.publishers);
  if (!Array.isArray(log) || typeof base !== 'number' || !publishers) return undefined;
  const items = itemsOf(log).map((item, i) => ({ ...item, offset: base + i }));
  const sequences = Object.entries(publishers).map(([id, state]): [string, number] => [
    id,
    countOf(objectOf(state)?.sequence ?? state),
  ]);
  return { items, sequences: new Map(sequences), nextOffset: base + items.length };
}

function itemsOf(items: JsonValue | undefined): OffsetItem[] {
  if (!Array.isArray(items)) return [];
  return items.map((item) => {
    const { topic, data, offset } = objectOf(item) ?? {};
    return {
      topic: typeof topic === 'string' ? topic : '',
      data: typeof data === 'string' ? data : '',
      offset: countOf(offset),
    };
  });
}

function objectOf(value: JsonValue | undefined): { [key: string]: JsonValue } | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}

function countOf(value: JsonValue | undefined): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
