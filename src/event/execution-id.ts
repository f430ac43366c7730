// Execution ids: every id that Temporal accepts for a workflow (PROTOCOL.md, "Execution ids").
import { ExecstreamError } from './errors.ts';
import { isStorable, startOf, utf8Bytes } from './text.ts';

/** Temporal's limit, in bytes of UTF-8. */
export const MAX_EXECUTION_ID_BYTES = 1_000;

/** Servers store other things than executions under ids with this prefix: leases, and the runs of execution-key.ts. */
export const RESERVED_PREFIX = '~execstream/';

/** Whether a text is an execution id. */
export function isExecutionId(id: string): boolean {
  return isStorableId(id, MAX_EXECUTION_ID_BYTES) && !id.startsWith(RESERVED_PREFIX);
}

/** Whether a text is within the limits of an id. */
export function isStorableId(id: string, maxBytes: number): boolean {
  if (typeof id !== 'string' || id === '' || id.length > maxBytes) return false;
  return utf8Bytes(id) <= maxBytes && isStorable(id);
}

/**
 * Checks an execution id, before any lookup, and returns it.
 * @throws ExecstreamError `BAD_USER_INPUT`
 */
export function checkExecutionId(id: string): string {
  if (!isExecutionId(id)) throw invalidId(id);
  return id;
}

/** The error for a text that is not an execution id. */
export function invalidId(id: string): ExecstreamError {
  const shown = JSON.stringify(startOf(String(id), 80));
  const isReserved = isStorableId(id, MAX_EXECUTION_ID_BYTES);
  const expected = isReserved
    ? `ids that start with ${RESERVED_PREFIX} are reserved`
    : `expected 1 to ${MAX_EXECUTION_ID_BYTES} bytes of UTF-8 without U+0000`;
  return new ExecstreamError('BAD_USER_INPUT', `${shown} is not an execution id; ${expected}`);
}
