// Encodes events as plain SSE messages: the type is `event:`, the data is `data:`. Text is not JSON-encoded by default;
// with `data=json` it is, for clients that change its line breaks or white space.
import type { EventData, ExecutionEvent } from '../event/events.ts';
import { type Frame, frame } from '../sse/frame.ts';
import { pingFormat, SSE_FORMAT } from '../sse/stream-format.ts';
import type { Encoder, EventExecutor } from '../stream/encoder.ts';
import type { DataFormat } from './parameters.ts';

/** The encoders by the parameter `data`. Encodings are shared by the names of their encoders. */
export const PLAIN_SSE: { readonly [F in DataFormat]: Encoder } = {
  text: encoder('rest', textOf),
  json: encoder('rest-json', (_, data) => JSON.stringify(data)),
};

/** Heartbeats as messages, for EventSource, which hides comments. */
export const PINGS = pingFormat('ping', '{}');

function encoder(name: string, dataOf: (type: string, data: object) => string): Encoder {
  return {
    name,
    format: SSE_FORMAT,
    next: (event, executor) => encode(event, executor, dataOf),
    // The terminal event is enough.
    complete: () => undefined,
  };
}

function encode(
  sourceEvent: ExecutionEvent,
  executor: EventExecutor,
  dataOf: (type: string, data: object) => string,
): Frame {
  const { id } = sourceEvent;
  const { data, errors } = executor.result(sourceEvent);
  const event = Object.values(data ?? {})[0] as { type: string; data: object } | undefined;
  if (!event) {
    const message = errors?.[0]?.message ?? 'event cannot be shown';
    return frame(id, 'warning', JSON.stringify({ code: 'INTERNAL', message }));
  }
  const type = event.type.toLowerCase();
  return frame(id, type, dataOf(type, event.data));
}

function textOf(type: string, data: object): string {
  return type === 'llm_chunk' ? (data as EventData['llm_chunk']).content : JSON.stringify(data);
}
