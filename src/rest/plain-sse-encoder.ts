// Encodes events as plain SSE messages: the type is `event:`, the data is `data:`, text is not JSON-encoded.
import type { EventData } from '../event/events.ts';
import { frame } from '../sse/frame.ts';
import { pingFormat, SSE_FORMAT } from '../sse/stream-format.ts';
import type { Encoder } from '../stream/encoder.ts';

export const REST_ENCODING: Encoder = {
  name: 'rest',
  format: SSE_FORMAT,
  next: (sourceEvent, executor) => {
    const { id } = sourceEvent;
    const { data, errors } = executor.result(sourceEvent);
    const event = Object.values(data ?? {})[0] as { type: string; data: object } | undefined;
    if (!event) {
      const message = errors?.[0]?.message ?? 'event cannot be shown';
      return frame(id, 'warning', JSON.stringify({ code: 'INTERNAL', message }));
    }
    const type = event.type.toLowerCase();
    const text =
      type === 'llm_chunk' ? (event.data as EventData['llm_chunk']).content : JSON.stringify(event.data);
    return frame(id, type, text);
  },
  // The terminal event is enough.
  complete: () => undefined,
};

/** Heartbeats as messages, for EventSource, which hides comments. */
export const PINGS = pingFormat('ping', '{}');
