// Reduces a log to what a viewer that has read all of it shows: text, value, warnings; a `reset` clears text and value.
import jsonPatch from 'fast-json-patch';
import type { EventType, ExecutionEvent, JsonValue } from '../../src/event/events.ts';
import type { LogReader } from '../../src/log/log.ts';

export interface Folded {
  events: readonly ExecutionEvent[];
  types: EventType[];
  text: string;
  chunks: string[];
  value: JsonValue;
  resets: string[];
  warnings: string[];
  ends: ExecutionEvent<'complete' | 'error'>[];
}

function fold(events: readonly ExecutionEvent[]): Folded {
  const folded: Folded = {
    events,
    types: events.map(({ type }) => type),
    text: '',
    chunks: [],
    value: null,
    resets: [],
    warnings: [],
    ends: [],
  };
  for (const [i, event] of events.entries()) {
    if (event.seq !== i + 1) throw new Error(`seq ${event.seq} at index ${i}, expected ${i + 1}`);
    if (folded.ends.length > 0) throw new Error(`${event.type} after the end`);
    if (event.type === 'llm_chunk') folded.chunks.push(event.data.content);
    if (event.type === 'structured_delta') {
      const { newDocument } = jsonPatch.applyPatch(
        folded.value,
        structuredClone(event.data.patch) as never,
        true,
      );
      folded.value = newDocument as JsonValue;
    }
    if (event.type === 'warning') folded.warnings.push(event.data.code);
    if (event.type === 'complete' || event.type === 'error') folded.ends.push(event);
    if (event.type === 'reset') {
      folded.resets.push(event.data.reason);
      folded.chunks = [];
      folded.value = null;
    }
  }
  folded.text = folded.chunks.join('');
  return folded;
}

/** Reads a complete log and reduces it. */
export async function foldLog(log: LogReader, executionId: string): Promise<Folded> {
  const page = await log.read(executionId, 0, 1_000_000);
  return fold(page?.events ?? []);
}
