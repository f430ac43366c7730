// The text or value of an execution: the part of its state that grows, and that a lost event makes partial.
import type {
  EventData,
  EventType,
  ExecutionKind,
  ExecutionMode,
  JsonValue,
  PatchOperation,
} from './events.ts';
import { applyPatch, setsWholeValue } from './json-patch.ts';

/** The result of an execution as it grows. */
export interface ContentState {
  /** In text mode. If partial: the text after the events that are missing. */
  readonly text?: string;
  /** In structured mode. If partial: the last value before the events that are missing. */
  readonly value?: JsonValue;
  /** `partial` after a `gap` without content, after `PREFIX_LOST`, or after a patch that does not apply. */
  readonly completeness: 'full' | 'partial';
}

/** An event without its position in a log. */
export type EventContent = { [T in EventType]: { readonly type: T; readonly data: EventData[T] } }[EventType];

/**
 * Computes the value after a patch.
 * @throws Error for a patch that does not apply
 */
export type PatchValue = (value: JsonValue, patch: readonly PatchOperation[]) => JsonValue;

/**
 * The content before the first event: an empty text or a `null` value, or both if the mode is not known.
 */
export function initialContent(mode?: ExecutionMode): ContentState {
  return {
    ...(mode !== 'STRUCTURED' && { text: '' }),
    ...(mode !== 'TEXT' && { value: null }),
    completeness: 'full',
  };
}

/**
 * The content after an event; the same object for an event that does not concern the content. Never throws.
 * @param patchValue computes the value after a patch; by default an immutable one
 */
export function reduceContent<State extends ContentState>(
  state: State,
  { type, data }: EventContent,
  patchValue: PatchValue = applyPatch,
): State {
  switch (type) {
    case 'llm_chunk':
      return state.text === undefined ? state : { ...state, text: state.text + data.content };
    case 'structured_delta':
      return reducePatch(state, data.patch, patchValue);
    case 'reset':
      return clearContent(state);
    case 'gap':
      return withContent(state, data) ?? loseContent(state);
    case 'warning':
      return data.code === 'PREFIX_LOST' && state.text !== undefined ? loseContent(state) : state;
    case 'complete':
      return (state.completeness === 'partial' && withContent(state, contentOf(state, data.result))) || state;
    default:
      return state;
  }
}

/**
 * The content of a workflow after an event. It has a text or a value only after the first events that add to it, and its
 * result is neither.
 */
export function reduceWorkflowContent<State extends ContentState>(state: State, event: EventContent): State {
  switch (event.type) {
    case 'llm_chunk':
      return reduceContent(state.text === undefined ? { ...state, text: '' } : state, event);
    case 'structured_delta':
      return reduceContent(state.value === undefined ? { ...state, value: null } : state, event);
    case 'reset':
      return withoutContent(state);
    case 'complete':
      return state;
    default:
      return reduceContent(state, event);
  }
}

/** Neither text nor value. */
export function withoutContent<State extends ContentState>({ text: _, value: __, ...rest }: State): State {
  return { ...rest, completeness: 'full' } as State;
}

/** The part of the content that a result restores. */
function contentOf(
  { text, value }: Pick<ContentState, 'text' | 'value'>,
  result: JsonValue | undefined,
): Pick<ContentState, 'text' | 'value'> {
  if (text !== undefined && typeof result === 'string') return { text: result };
  return value !== undefined && result !== undefined ? { value: result } : {};
}

/** The content that an ended execution's result restores; neither text nor value if it is not of its mode. */
export function resultContent({
  kind,
  mode,
  result,
}: {
  readonly kind: ExecutionKind;
  readonly mode: ExecutionMode;
  readonly result?: JsonValue;
}): Pick<ContentState, 'text' | 'value'> {
  return kind === 'workflow' ? {} : contentOf(initialContent(mode), result);
}

function withContent<State extends ContentState>(
  state: State,
  { text, value }: { readonly text?: string; readonly value?: JsonValue },
): State | undefined {
  if (text !== undefined && state.text !== undefined) return { ...state, text, completeness: 'full' };
  if (value !== undefined && state.value !== undefined) return { ...state, value, completeness: 'full' };
  return undefined;
}

/** An empty text, a `null` value. */
export function clearContent<State extends ContentState>(state: State): State {
  return {
    ...state,
    ...(state.text !== undefined && { text: '' }),
    ...(state.value !== undefined && { value: null }),
    completeness: 'full',
  };
}

/** Events are missing: the text starts over, the value stays as it was until a whole value replaces it. */
function loseContent<State extends ContentState>(state: State): State {
  return { ...state, ...(state.text !== undefined && { text: '' }), completeness: 'partial' };
}

function reducePatch<State extends ContentState>(
  state: State,
  patch: readonly PatchOperation[],
  patchValue: PatchValue,
): State {
  if (state.value === undefined) return state;
  try {
    if (state.completeness === 'partial' && !setsWholeValue(patch)) return state;
    return { ...state, value: patchValue(state.value, patch), completeness: 'full' };
  } catch {
    return { ...state, completeness: 'partial' };
  }
}
