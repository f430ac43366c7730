// The state that a viewer of a full log has, with the lists that tests check.
import type { EventType, ExecutionEvent, JsonValue } from '../../src/event/events.ts';
import { type ExecutionState, initialState, reduce } from '../../src/event/state.ts';
import type { LogReader } from '../../src/log/log.ts';

export interface Folded {
  events: readonly ExecutionEvent[];
  types: EventType[];
  text: string;
  /** Since the last `reset`. */
  chunks: string[];
  value: JsonValue;
  resets: string[];
  warnings: string[];
  ends: ExecutionEvent<'complete' | 'error'>[];
}

function fold(events: readonly ExecutionEvent[]): Folded {
  const lists = { chunks: [] as string[], resets: [] as string[], warnings: [] as string[] };
  const ends: Folded['ends'] = [];
  // The kind does not matter for text and value; without a mode there are both.
  let state = initialState('agent');
  for (const [i, event] of events.entries()) {
    if (event.seq !== i + 1) throw new Error(`seq ${event.seq} at place ${i + 1}`);
    if (ends.length > 0) throw new Error(`${event.type} after the end`);
    state = reduceStrictly(state, event);
    if (event.type === 'llm_chunk') lists.chunks.push(event.data.content);
    if (event.type === 'warning') lists.warnings.push(event.data.code);
    if (event.type === 'complete' || event.type === 'error') ends.push(event);
    if (event.type === 'reset') {
      lists.resets.push(event.data.reason);
      lists.chunks = [];
    }
  }
  const { text = '', value = null } = state;
  return { events, types: events.map(({ type }) => type), text, value, ...lists, ends };
}

/** @throws Error for a patch that does not apply, or that has no effect because the value is partial */
function reduceStrictly(state: ExecutionState, event: ExecutionEvent): ExecutionState {
  const next = reduce(state, event);
  if (event.type === 'structured_delta' && next.completeness === 'partial') {
    throw new Error(`${event.id}: the patch does not apply to ${JSON.stringify(state.value)}`);
  }
  return next;
}

/** Reads a full log and reduces it. */
export async function foldLog(log: LogReader, executionId: string): Promise<Folded> {
  const page = await log.read(executionId, 0, 1_000_000);
  return fold(page?.events ?? []);
}
