// Events in the form in which a log has them. A log compares texts, and JSON objects have no order: some SDKs sort the
// fields of a query's result, others write maps in any order, and events from a history have our order.
import type { JsonValue } from '../../event/events.ts';
import { jsonEquals } from '../../event/json-equals.ts';
import type { LogReader } from '../../log/log.ts';
import type { WorkflowEvent } from '../shared/stream-query.ts';

/**
 * Replaces the data of events with that of the log.
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
  const stored = new Map(page.events.map((event) => [event.seq, event]));
  const same: WorkflowEvent[] = [];
  for (const event of events) {
    const { type, data } = stored.get(event.seq) ?? event;
    if (type !== event.type || !jsonEquals(data as JsonValue, event.data as JsonValue)) return undefined;
    same.push({ ...event, data } as WorkflowEvent);
  }
  return same;
}
