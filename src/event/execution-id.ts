// Execution ids: the allowed characters and lengths (PROTOCOL.md, "Cursors").
import { ExecstreamError } from './errors.ts';

const EXECUTION_ID = /^[A-Za-z0-9._:~@+/-]{1,200}$/;

/** Whether a text is an execution id. */
export function isExecutionId(id: string): boolean {
  // URL parsers remove path segments of one or two dots, even percent-encoded, so no request could name such an id.
  return EXECUTION_ID.test(id) && id !== '.' && id !== '..';
}

/**
 * Checks an execution id, before any lookup, and returns it.
 * @throws ExecstreamError `BAD_USER_INPUT`; the message lists the allowed characters
 */
export function checkExecutionId(id: string): string {
  if (!isExecutionId(id)) {
    throw new ExecstreamError(
      'BAD_USER_INPUT',
      `"${id.slice(0, 80)}" is not an execution id; expected 1 to 200 characters of A-Z a-z 0-9 . _ : ~ @ + / -`,
    );
  }
  return id;
}
