// What a log adds up to: the text, or the value that the next patch is meant for.
import jsonPatch from 'fast-json-patch';
import type { ExecutionEvent, JsonValue, PatchOperation } from '../event/types.ts';
import type { LogReader } from './log.ts';

const PAGE = 256;
/** Executions whose state is kept between calls; others are read from their log again. */
const KEPT = 200;
/** Code units of text that are added up; above, the text counts as unknown. */
const MAX_TEXT_UNITS = 4 * 1024 * 1024;

/** The state behind an event of a log. What is undefined is unknown: where it began is gone, or it is too long. */
export interface Fold {
  /** The event's seq; 0 where there is none. */
  readonly seq: number;
  /** Empty where there is no log. */
  readonly epoch: string;
  readonly text: string | undefined;
  readonly value: JsonValue | undefined;
}

type State = { -readonly [K in keyof Fold]: Fold[K] };

/**
 * Folds logs, and remembers the states of those that were asked for last.
 * @returns a function that answers the state behind the last event of a log; it rejects with `SOURCE_UNAVAILABLE`
 *   where the log does not answer.
 */
export function createFolds(log: Pick<LogReader, 'read'>): (executionId: string) => Promise<Fold> {
  const states = new Map<string, State>();

  return async function fold(executionId) {
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
  const isTrimmed = event.seq > state.seq + 1;
  state.seq = event.seq;
  if (event.type === 'reset') {
    state.text = '';
    state.value = null;
    return;
  }
  if (isTrimmed) {
    state.text = undefined;
    state.value = undefined;
  }
  if (event.type === 'warning' && event.data.code === 'PREFIX_LOST') {
    state.text = undefined;
  } else if (event.type === 'llm_chunk' && state.text !== undefined) {
    const isTooLong = state.text.length + event.data.content.length > MAX_TEXT_UNITS;
    state.text = isTooLong ? undefined : state.text + event.data.content;
  } else if (event.type === 'structured_delta') {
    state.value = patched(state.value, event.data.patch);
  }
}

/** A value with a patch applied; undefined where it is not known what comes of it. */
export function patched(
  value: JsonValue | undefined,
  patch: readonly PatchOperation[],
): JsonValue | undefined {
  // A patch of the whole value needs none before it.
  if (value === undefined && patch[0]?.path !== '') return undefined;
  try {
    return applyPatch(value ?? null, patch);
  } catch {
    return undefined;
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
