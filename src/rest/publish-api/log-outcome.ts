// Maps the outcome of a rejected open or append to the error that an HTTP publisher gets.
import { ExecstreamError } from '../../event/errors.ts';
import type { Execution } from '../../execution/store.ts';
import type { AppendResult } from '../../log/log.ts';

export function toPublishError(
  outcome: Exclude<AppendResult['outcome'], 'appended'>,
  { id, attempt }: Execution,
): ExecstreamError {
  if (outcome === 'ended') return new ExecstreamError('ENDED', `execution ${id} has ended`);
  if (outcome === 'lost') return logLost();
  const detail = `execution ${id} belongs to another attempt or publisher (attempt ${attempt})`;
  return new ExecstreamError('SUPERSEDED', detail);
}

/** Redis lost the log, and with it the record of the publisher's token. */
export function logLost(): ExecstreamError {
  return new ExecstreamError(
    'SUPERSEDED',
    'the log was lost; begin a new attempt with PUT and resend everything',
  );
}
