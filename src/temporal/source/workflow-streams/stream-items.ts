// The items of a Workflow Stream: their payloads, and the values in them.
import { createHash } from 'node:crypto';
import type { JsonValue } from '../../../event/events.ts';
import { exceedsDepth, MAX_JSON_DEPTH } from '../../../event/json-depth.ts';
import { parseExactly } from '../../../event/json-integers.ts';
import type { Payload } from '../../shared/payloads.ts';
import type { WireItem } from './wire-format.ts';

export interface StreamItem {
  readonly topic: string;
  readonly value: JsonValue;
  /** Equal for items with the same topic and payload. */
  readonly key: string;
}

/** Decodes items, whose payloads no codec encodes: it encodes the message around them. */
export async function decodeItems<Item extends WireItem>(
  items: readonly Item[],
): Promise<(Item & StreamItem)[]> {
  if (items.length === 0) return [];
  const { default: proto } = await import('@temporalio/proto');
  const { Payload: PayloadType } = proto.temporal.api.common.v1;
  return items.map((item) => {
    const bytes = Buffer.from(item.data, 'base64');
    let payload: Payload;
    try {
      const { metadata, data } = PayloadType.decode(bytes);
      // Without data, the decoder returns an empty array.
      payload = { metadata, data: Buffer.from(data) };
    } catch {
      payload = { data: bytes };
    }
    return { ...item, value: itemValue(payload), key: keyOf(item.topic, payload) };
  });
}

/**
 * The value of a payload: that of its JSON, its text, or for anything else its encoding and its bytes in base64. JSON in
 * bytes counts as JSON, because the AI SDK's plugin publishes its parts like that.
 */
function itemValue({ metadata, data }: Payload): JsonValue {
  const encoding = textOf(metadata?.encoding ?? new Uint8Array()) ?? '';
  const bytes = data ?? new Uint8Array();
  if (encoding === 'binary/null') return null;
  const text = encoding.startsWith('json/') || encoding === 'binary/plain' ? textOf(bytes) : undefined;
  const json = text === undefined ? undefined : parse(text);
  if (encoding === 'binary/plain' && text !== undefined) {
    return typeof json === 'object' && json !== null ? json : text;
  }
  return json ?? (text === 'null' ? null : { encoding, base64: Buffer.from(bytes).toString('base64') });
}

function parse(text: string): JsonValue | undefined {
  try {
    const value = parseExactly(text);
    return exceedsDepth(value, MAX_JSON_DEPTH - 1) ? undefined : value;
  } catch {
    return undefined;
  }
}

/** Undefined for bytes that are not UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes));
  } catch {
    return undefined;
  }
}

/** The fields of a map have no order on the wire: the workflow may write them in another one than the publisher. */
function keyOf(topic: string, { metadata, data }: Payload): string {
  const fields = Object.entries(metadata ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash('sha1').update(JSON.stringify([topic, fields.map(([name]) => name)]));
  for (const [, bytes] of fields) hash.update(Buffer.from(bytes)).update('\0');
  return hash.update(data ?? new Uint8Array()).digest('base64');
}
