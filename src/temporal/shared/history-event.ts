// Events of a workflow's history, as Temporal's API returns them.
import type { temporal } from '@temporalio/proto';

export type HistoryEvent = temporal.api.history.v1.HistoryEvent.$Properties;

/** Temporal's HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT: a request for the close event alone. */
export const CLOSE_EVENT_FILTER = 2;

/** A protobuf timestamp in ms since 1970. */
export function toMs(at: { seconds?: unknown; nanos?: number | null } | null | undefined): number {
  return Math.floor(Number(at?.seconds ?? 0) * 1_000 + (at?.nanos ?? 0) / 1e6);
}
