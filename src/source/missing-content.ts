// The content of an ended row's result that its log lacks, because the publisher died before its last events were
// appended.
import { resultContent } from '../event/content-state.ts';
import { type NewEvent, timestamp } from '../event/events.ts';
import { jsonEquals } from '../event/json-equals.ts';
import { splitText } from '../event/text.ts';
import type { Execution } from '../execution/store.ts';
import type { LogState } from '../log/log-state.ts';
import type { ContentEvents } from './row-diff.ts';

/**
 * The events that lead from the content of a log to the row's result; none if they are equal or the row has no content.
 *
 * A text continues where the log's text ends. A result that does not begin with that text is separate from it, and is
 * left to the terminal event. If the log's text is unknown, the full text follows a `reset`.
 */
export function missingContentOf(
  row: Execution,
  { text, value }: Pick<LogState, 'text' | 'value'>,
  content: ContentEvents,
): NewEvent[] {
  const result = resultContent(row);
  if (result.value !== undefined) {
    return value !== undefined && jsonEquals(value, result.value) ? [] : wholeValue(row, content);
  }
  if (result.text === undefined || (text !== undefined && !result.text.startsWith(text))) return [];
  const ts = timestamp();
  const rest = splitText(result.text.slice(text?.length ?? 0), content.sizes);
  const chunks = rest.map((piece): NewEvent => ({ type: 'llm_chunk', ts, data: { content: piece } }));
  return text === undefined ? [{ type: 'reset', ts, data: { reason: 'overflow' } }, ...chunks] : chunks;
}

/** Whether a row has content that its log could lack. */
export function hasContent(row: Execution): boolean {
  const { text, value } = resultContent(row);
  return text !== undefined || value !== undefined;
}

function wholeValue({ result }: Execution, content: ContentEvents): NewEvent[] {
  if (result === null) {
    // Values begin as `null`, so there is no patch that leads to it.
    const data = { patch: [{ op: 'replace' as const, path: '', value: null }] };
    return [{ type: 'structured_delta', ts: timestamp(), data }];
  }
  // A value that grew by small patches may not fit into events as a whole; the terminal event or the row has it.
  const events = content.createValue().setValue(result!);
  return events.filter(({ type }) => type === 'structured_delta');
}
