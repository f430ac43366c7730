// Ends the row of an execution that is published over HTTP, before its terminal event becomes visible.
import { isFinal, type JsonValue, type NewEvent } from '../../event/events.ts';
import { terminalEventOf } from '../../event/terminal-event.ts';
import type { Execution, ExecutionEnd, ExecutionStore } from '../../execution/store.ts';
import type { LogState } from '../../log/log-state.ts';
import { toPublishError } from './log-outcome.ts';

/**
 * Ends the row; if several publishers end it, the first one wins.
 * @param state of the log with the batch staged; its text or value is the default result
 * @returns the terminal event that corresponds to the row
 * @throws ExecstreamError `SUPERSEDED` if the row belongs to another attempt
 */
export async function finishRow(
  store: Pick<ExecutionStore, 'finish'>,
  row: Execution,
  terminal: NewEvent,
  state: LogState | undefined,
): Promise<NewEvent> {
  const ended = await store.finish(row.id, row.attempt, endOf(row, terminal, state));
  if (!ended || ended.attempt !== row.attempt || !isFinal(ended.status)) {
    throw toPublishError('superseded', row);
  }
  return terminalEventOf(ended)!;
}

function endOf({ mode }: Execution, terminal: NewEvent, state: LogState | undefined): ExecutionEnd {
  if (terminal.type === 'error') {
    const { status, message, code, usage } = terminal.data;
    return { status, error: { message, ...(code && { code }) }, ...(usage && { usage }) };
  }
  const { usage, ...data } = terminal.data as { usage?: Execution['usage']; result?: JsonValue };
  const result = data.result ?? (mode === 'STRUCTURED' ? state?.copyValue() : state?.text);
  // A workflow has neither text nor value that could be omitted.
  const isOmitted = result === undefined && state !== undefined;
  return {
    status: 'SUCCESS',
    ...(result !== undefined && { result }),
    ...(isOmitted && { resultOmitted: true }),
    ...(usage && { usage }),
  };
}
