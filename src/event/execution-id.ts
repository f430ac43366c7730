// Execution ids: every id that Temporal accepts for a workflow (PROTOCOL.md, "Execution ids").
import { ExecstreamError } from './errors.ts';
import { isStorable, startOf, utf8Bytes } from './text.ts';

/** Temporal's limit, in bytes of UTF-8. */
export const MAX_EXECUTION_ID_BYTES = 1_000;

/** Whether a text is an execution id. */
export function isExecutionId(id: string): boolean {
  if (typeof id !== 'string' || id === '' || id.length > MAX_EXECUTION_ID_BYTES) return false;
  return utf8Bytes(id) <= MAX_EXECUTION_ID_BYTES && isStorable(id);
}

/**
 * Checks an execution id, before any lookup, and returns it.
 * @throws ExecstreamError `BAD_USER_INPUT`
 */
export function checkExecutionId(id: string): string {
  if (!isExecutionId(id)) {
    const shown = JSON.stringify(startOf(String(id), 80));
    const expected = `1 to ${MAX_EXECUTION_ID_BYTES} bytes of UTF-8 without U+0000`;
    throw new ExecstreamError('BAD_USER_INPUT', `${shown} is not an execution id; expected ${expected}`);
  }
  return id;
}
