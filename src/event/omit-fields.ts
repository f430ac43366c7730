// Large fields that an event may lack. A field that does not fit is replaced by a flag and its size, so that a reader
// can distinguish it from a field that was never there: `args` by `argsOmitted: true` and `argsBytes`.
//
// Temporal's sandbox, which has no Buffer, shares this file.
import type { EventData, EventType } from './events.ts';
import { eventTooLarge, type SizeLimits } from './size-limits.ts';
import { utf8Bytes } from './text.ts';

type OmittableField = 'args' | 'input' | 'progress' | 'result' | 'text' | 'value';

const OMITTABLE: { readonly [T in EventType]?: readonly (OmittableField & keyof EventData[T])[] } = {
  task_start: ['input'],
  task_status: ['progress', 'result'],
  tool_call: ['args', 'result'],
  complete: ['result'],
  custom: ['value'],
  gap: ['text', 'value'],
};

/**
 * The data of an event, without the fields that do not fit. The larger field is omitted first.
 * @returns the same object if all of it fits
 * @throws ExecstreamError `EVENT_TOO_LARGE` for data that does not fit without those fields either
 */
export function fitData<T extends EventType>(
  type: T,
  data: EventData[T],
  { data: limit, part }: SizeLimits,
): EventData[T] {
  const bytes = jsonBytes(data);
  if (bytes <= part) return data;
  const [smallest = data, ...larger] = [data, ...withoutFields(type, data)].reverse();
  const rest = jsonBytes(smallest);
  if (rest > part) throw eventTooLarge(type, rest, part);
  return larger.findLast((candidate) => jsonBytes(candidate) <= limit) ?? smallest;
}

/** The data of an event with one field after the other omitted, the largest first. */
export function withoutFields<T extends EventType>(type: T, data: EventData[T]): EventData[T][] {
  const fields = data as unknown as { readonly [field: string]: unknown };
  const present = (OMITTABLE[type] ?? [])
    .filter((field) => fields[field] !== undefined)
    .map((field) => ({ field, bytes: jsonBytes(fields[field]) }))
    .sort((a, b) => b.bytes - a.bytes);
  let rest = fields;
  return present.map(({ field, bytes }) => {
    const { [field]: _, ...others } = rest;
    rest = { ...others, [`${field}Omitted`]: true, [`${field}Bytes`]: bytes };
    return rest as unknown as EventData[T];
  });
}

function jsonBytes(value: unknown): number {
  return utf8Bytes(JSON.stringify(value));
}
