// Execution ids: what characters and lengths are allowed (PROTOCOL.md, "Cursors").
import { ExecstreamError } from './errors.ts';

const EXECUTION_ID = /^[A-Za-z0-9._:~@+/-]{1,200}$/;

/**
 * Checks an execution id, before any look-up.
 * @throws ExecstreamError `BAD_USER_INPUT`, saying which characters are allowed.
 */
export function checkExecutionId(id: string): string {
  // URLs take a segment of one or two dots away, also percent-encoded: such an id could not be asked for.
  if (!EXECUTION_ID.test(id) || id === '.' || id === '..') {
    throw new ExecstreamError(
      'BAD_USER_INPUT',
      `"${id.slice(0, 80)}" is not an execution id; expected 1 to 200 characters of A-Z a-z 0-9 . _ : ~ @ + / -`,
    );
  }
  return id;
}
