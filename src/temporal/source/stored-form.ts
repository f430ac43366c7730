// Events in the form in which a log has them. A log compares texts, but two reports of one event may differ in these ways:
//
// - The order of fields: some SDKs sort the fields of a query's result, others write maps in any order.
// - Omitted fields: two writers with different size limits do not omit the same ones, or one of them replaces the event by
//   a warning. The first writer wins, so that the stream goes on.
import type { JsonValue } from '../../event/events.ts';
import { jsonEquals } from '../../event/json-equals.ts';
import type { LogReader } from '../../log/log.ts';
import { leftOutMessage, type WorkflowEvent } from '../shared/stream-query.ts';

/**
 * Replaces the types and data of events with those of the log.
 * @param events in the order of their seqs, without gaps
 * @returns undefined if the log has another event at one of the seqs, or another epoch
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` if the log is unavailable
 */
export async function inStoredForm(
  log: Pick<LogReader, 'read'>,
  executionId: string,
  epoch: string,
  events: readonly WorkflowEvent[],
): Promise<readonly WorkflowEvent[] | undefined> {
  const page = await log.read(executionId, events[0]!.seq - 1, events.length);
  if (page?.epoch !== epoch) return undefined;
  const stored = new Map(page.events.map((event) => [event.seq, event as WorkflowEvent]));
  const same: WorkflowEvent[] = [];
  for (const event of events) {
    const { type, data } = stored.get(event.seq) ?? event;
    const known = { ...event, type, data } as WorkflowEvent;
    if (!isSameEvent(known, event)) return undefined;
    same.push(known);
  }
  return same;
}

function isSameEvent(a: WorkflowEvent, b: WorkflowEvent): boolean {
  if (a.type !== b.type) return isReplaced(a, b) || isReplaced(b, a);
  const omitted = [...omittedFields(a.data), ...omittedFields(b.data)];
  return jsonEquals(without(a.data, omitted), without(b.data, omitted));
}

/** Whether the warning takes the place of an event that is invalid or too large. */
function isReplaced(warning: WorkflowEvent, { type }: WorkflowEvent): boolean {
  return warning.type === 'warning' && warning.data.message === leftOutMessage(type);
}

/** The fields of which data has only the size: `x` if `xOmitted` is true. */
function omittedFields(data: object): string[] {
  return Object.entries(data).flatMap(([key, value]) =>
    value === true && key.endsWith('Omitted') ? key.slice(0, -'Omitted'.length) : [],
  );
}

function without(data: object, omitted: readonly string[]): JsonValue {
  const names = new Set(omitted.flatMap((field) => [field, `${field}Omitted`, `${field}Bytes`]));
  return Object.fromEntries(Object.entries(data).filter(([key]) => !names.has(key)));
}
