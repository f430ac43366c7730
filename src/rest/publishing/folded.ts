// What an execution's log adds up to: the text, or the value that the next patch is meant for.
import jsonPatch from 'fast-json-patch';
import type { ExecutionEvent, JsonValue, PatchOperation } from '../../event/types.ts';
import type { LogReader } from '../../log/log.ts';

const PAGE = 256;
/** Executions whose state is kept between batches; others are read from their log again. */
const KEPT = 200;
/** Code units of text kept for a default result; above, the result must be sent. */
const MAX_TEXT_UNITS = 4 * 1024 * 1024;

interface State {
  epoch: string;
  seq: number;
  text: string | undefined;
  value: JsonValue;
}

export type Fold = Readonly<Pick<State, 'text' | 'value'>>;

/** Folds logs, and remembers the states of those that were asked for last. */
export function createFolds(log: Pick<LogReader, 'read'>) {
  const states = new Map<string, State>();

  /** The state behind the last event of the log. */
  return async function fold(executionId: string): Promise<Fold> {
    let state = states.get(executionId);
    for (;;) {
      const page = await log.read(executionId, state?.seq ?? 0, PAGE);
      if (!page) return begin('');
      if (state?.epoch !== page.epoch || state.seq > page.head) {
        const isFirst = state === undefined || state.seq === 0;
        state = begin(page.epoch);
        if (!isFirst) continue;
      }
      for (const event of page.events) add(state, event);
      if (state.seq >= page.head || page.events.length === 0) break;
    }
    states.delete(executionId);
    states.set(executionId, state);
    if (states.size > KEPT) states.delete(states.keys().next().value!);
    return state;
  };
}

function begin(epoch: string): State {
  return { epoch, seq: 0, text: '', value: null };
}

function add(state: State, event: ExecutionEvent): void {
  state.seq = event.seq;
  if (event.type === 'reset') {
    state.text = '';
    state.value = null;
  } else if (event.type === 'llm_chunk' && state.text !== undefined) {
    const isTooLong = state.text.length + event.data.content.length > MAX_TEXT_UNITS;
    state.text = isTooLong ? undefined : state.text + event.data.content;
  } else if (event.type === 'structured_delta') {
    state.value = applyPatch(state.value, event.data.patch);
  }
}

/**
 * Applies RFC 6902 operations to a copy.
 * @throws Error naming the operation that does not apply.
 */
export function applyPatch(value: JsonValue, patch: readonly PatchOperation[]): JsonValue {
  // Validation tells what does not apply; without mutation the value before stays whole.
  return jsonPatch.applyPatch(value, patch as jsonPatch.Operation[], true, false).newDocument as JsonValue;
}
