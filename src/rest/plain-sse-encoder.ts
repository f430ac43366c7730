// Results as plain SSE messages: the event's type as `event:`, its data as `data:`, text as it is (PROTOCOL.md,
// "REST aliases").
import type { EventData } from '../event/events.ts';
import { frame } from '../sse/frame.ts';
import type { Encoder } from '../stream/encoder.ts';

export const REST_ENCODING: Encoder = {
  name: 'rest',
  next: (told, executor) => {
    const { id } = told;
    const { data, errors } = executor.result(told);
    const event = Object.values(data ?? {})[0] as { type: string; data: object } | undefined;
    if (!event) {
      const message = errors?.[0]?.message ?? 'the event cannot be shown';
      return frame(id, 'warning', JSON.stringify({ code: 'INTERNAL', message }));
    }
    const type = event.type.toLowerCase();
    const text =
      type === 'llm_chunk' ? (event.data as EventData['llm_chunk']).content : JSON.stringify(event.data);
    return frame(id, type, text);
  },
  // The terminal event has said it.
  complete: () => undefined,
};
