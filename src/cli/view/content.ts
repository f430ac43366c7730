// The text or value of an execution, as the views show it.
import type { ExecutionEvent, JsonValue } from '../../event/events.ts';
import type { ExecutionState } from '../../event/state.ts';

/** The text that an event adds. */
export interface TextChange {
  readonly text: string;
  /** The text before is void: this is the complete text, and not its continuation. */
  readonly isRestart: boolean;
}

/** Compares the states before and after an event. Returns undefined if there is nothing to show. */
export function textChange(
  event: ExecutionEvent,
  before: ExecutionState,
  after: ExecutionState,
): TextChange | undefined {
  if (event.type === 'llm_chunk') return { text: event.data.content, isRestart: false };
  // Of a gap, or of the result after events were missing.
  if (!after.text || after.text === before.text) return undefined;
  const isContinued = before.completeness === 'full' && after.text.startsWith(before.text ?? '');
  return isContinued
    ? { text: after.text.slice(before.text?.length ?? 0), isRestart: false }
    : { text: after.text, isRestart: true };
}

/** What the stream has not shown at its end: a value, or a result without a text. */
export function finalContent(
  { kind, text, value, completeness }: ExecutionState,
  result: JsonValue | undefined,
): JsonValue | undefined {
  if (kind === 'workflow') return undefined;
  const isFull = completeness === 'full';
  if (text && isFull) return undefined;
  return isFull && value !== null && value !== undefined ? value : (result ?? undefined);
}

/** Text as it is, and everything else as JSON. */
export function contentToText(content: JsonValue): string {
  return typeof content === 'string' ? content : JSON.stringify(content, null, 2);
}
