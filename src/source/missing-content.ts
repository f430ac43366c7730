// What an ended row's result has and its log lacks, because a publisher died while its last words waited for the log.
import { isExecstreamError } from '../event/errors.ts';
import { type NewEvent, timestamp } from '../event/events.ts';
import { jsonEquals } from '../event/json-equals.ts';
import type { Execution } from '../execution/store.ts';
import type { LogState } from '../log/log-state.ts';
import type { ContentEvents } from './row-diff.ts';

/**
 * The events that lead from what a log adds up to, to the row's result; none where it is that, or the row has none.
 *
 * A text is told from where the log stops. One that does not begin with what stands there is a result of its own,
 * given beside the text, and no part of it. Where it is not known what stands there, all is told again after a `reset`.
 */
export function missingContentOf(
  row: Execution,
  { text, value }: Pick<LogState, 'text' | 'value'>,
  content: ContentEvents,
): NewEvent[] {
  const { mode, result } = row;
  if (!hasContent(row)) return [];
  const ts = timestamp();
  if (mode === 'STRUCTURED') {
    return value !== undefined && jsonEquals(value, result) ? [] : wholeValue(row, content);
  }
  if (typeof result !== 'string' || (text !== undefined && !result.startsWith(text))) return [];
  const rest = content.splitText(result.slice(text?.length ?? 0));
  const chunks = rest.map((piece): NewEvent => ({ type: 'llm_chunk', ts, data: { content: piece } }));
  return text === undefined ? [{ type: 'reset', ts, data: { reason: 'overflow' } }, ...chunks] : chunks;
}

/** Whether a row has anything that its log could lack. */
export function hasContent({ kind, mode, result }: Execution): boolean {
  return kind !== 'workflow' && result !== undefined && (mode === 'STRUCTURED' || typeof result === 'string');
}

function wholeValue({ result }: Execution, content: ContentEvents): NewEvent[] {
  if (result === null) {
    // What values begin as, so that no patch leads to it.
    const data = { patch: [{ op: 'replace' as const, path: '', value: null }] };
    return [{ type: 'structured_delta', ts: timestamp(), data }];
  }
  try {
    return content.createValue().setValue(result!);
  } catch (error) {
    // It grew by small steps and does not go out whole; the terminal event, or the state, has it.
    if (isExecstreamError(error, 'EVENT_TOO_LARGE')) return [];
    throw error;
  }
}
