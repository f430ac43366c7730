// Encodes events as plain SSE messages: the type is `event:`, the data is `data:`. Text is not JSON-encoded by default;
// with `data=json` it is, for clients that change its line breaks or white space.
import type { EventData, ExecutionEvent } from '../event/events.ts';
import { openEndOf } from '../event/text.ts';
import { type Frame, frame } from '../sse/frame.ts';
import { pingFormat, SSE_FORMAT } from '../sse/stream-format.ts';
import type { Encoder, EventExecutor } from '../stream/encoder.ts';
import type { DataFormat } from './parameters.ts';

/** The encoders by the parameter `data`. Encodings are shared by the names of their encoders. */
export const PLAIN_SSE: { readonly [F in DataFormat]: Encoder } = {
  text: encoder('rest', textOf),
  json: encoder('rest-json', ({ data }) => JSON.stringify(data)),
};

/** Heartbeats as messages, for EventSource, which hides comments. */
export const PINGS = pingFormat('ping', '{}');

interface Shown {
  readonly type: string;
  readonly data: object;
}

type DataOf = (shown: Shown, event: ExecutionEvent) => string;

function encoder(name: string, dataOf: DataOf): Encoder {
  return {
    name,
    format: SSE_FORMAT,
    next: (event, executor) => encode(event, executor, dataOf),
    // The terminal event is enough.
    complete: () => undefined,
  };
}

function encode(sourceEvent: ExecutionEvent, executor: EventExecutor, dataOf: DataOf): Frame {
  const { id } = sourceEvent;
  const { data, errors } = executor.result(sourceEvent);
  const event = Object.values(data ?? {})[0] as Shown | undefined;
  if (!event) {
    const message = errors?.[0]?.message ?? 'event cannot be shown';
    return frame(id, 'warning', JSON.stringify({ code: 'INTERNAL', message }));
  }
  const type = event.type.toLowerCase();
  return frame(id, type, dataOf({ type, data: event.data }, sourceEvent));
}

function textOf({ type, data }: Shown, { completes }: ExecutionEvent): string {
  if (type !== 'llm_chunk') return JSON.stringify(data);
  return plainText((data as EventData['llm_chunk']).content, completes);
}

/**
 * A chunk as UTF-8 lines: half a surrogate pair is sent with the other half, in the chunk that has that, and the LF of a
 * CRLF whose CR was sent as a line break is left out.
 */
function plainText(content: string, completes = ''): string {
  const text = completes === '\r' ? content.slice(1) : completes + content;
  const openEnd = openEndOf(text);
  return openEnd === '' || openEnd === '\r' ? text : text.slice(0, -1);
}
