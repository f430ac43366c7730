// The user's metadata of events (summary, details) under a codec: decoded before anything reads it.
import type { HistoryEvent } from '../shared/history-event.ts';
import type { Payload } from '../shared/payloads.ts';

/** The field of an event that has it. */
type Described = Pick<HistoryEvent, 'userMetadata'>;

const FIELDS = ['summary', 'details'] as const;

/**
 * Replaces the summaries and details of events in place.
 * @param decode the codec
 * @throws as `decode`: with another summary at another time, a log would contradict its history.
 */
export async function decodeUserMetadata(
  events: readonly Described[],
  decode: (payloads: readonly Payload[]) => Promise<readonly Payload[]>,
): Promise<void> {
  const found = events.flatMap(({ userMetadata }) =>
    FIELDS.flatMap((field) => (userMetadata?.[field] ? [{ userMetadata, field }] : [])),
  );
  if (found.length === 0) return;
  const payloads = await decode(found.map(({ userMetadata, field }) => userMetadata[field]!));
  found.forEach(({ userMetadata, field }, i) => {
    userMetadata[field] = payloads[i]!;
  });
}
