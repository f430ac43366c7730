// The end that a terminal event published over HTTP gives to its row.
import type { EventData, NewEvent } from '../../event/events.ts';
import type { Execution, ExecutionEnd } from '../../execution/store.ts';
import type { LogState } from '../../log/log-state.ts';

/**
 * The row's end.
 * @param state of the log with the batch staged; its text or value is the default result
 */
export function endOf({ mode }: Execution, terminal: NewEvent, state: LogState | undefined): ExecutionEnd {
  if (terminal.type === 'error') {
    const { status, message, code, usage } = terminal.data;
    return { status, error: { message, ...(code && { code }) }, ...(usage && { usage }) };
  }
  const { usage, ...data } = terminal.data as EventData['complete'];
  const published = mode === 'STRUCTURED' ? state?.copyValue() : state?.text;
  // A result that its publisher could not keep is not the text.
  const result = data.resultOmitted ? undefined : (data.result ?? published);
  // A workflow has neither text nor value that could be omitted.
  const isOmitted = result === undefined && (state !== undefined || data.resultOmitted === true);
  return {
    status: 'SUCCESS',
    ...(result !== undefined && { result }),
    ...(isOmitted && { resultOmitted: true }),
    ...(usage && { usage }),
  };
}
