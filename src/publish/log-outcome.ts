// Maps a rejected open or append to the error that aborts the run.
import { ExecstreamError } from '../event/errors.ts';
import type { Position } from '../lifecycle/end-execution.ts';
import type { AppendResult, OpenResult } from '../log/log.ts';

/** The error for a permanent rejection by the log. */
export function toRunError(result: OpenResult | AppendResult): ExecstreamError {
  switch (result.outcome) {
    case 'ended':
      return new ExecstreamError('ENDED', 'the execution has ended; nothing follows its terminal event');
    case 'superseded':
      return new ExecstreamError(
        'SUPERSEDED',
        `attempt ${result.attempt} of another publisher has the execution`,
      );
    default:
      return new ExecstreamError(
        'SUPERSEDED',
        `the log belongs to a source, not to a publisher (${result.outcome})`,
      );
  }
}

/** The position of the terminal event, if the log rejected the call because it has one. */
export function endPositionOf(
  result: OpenResult | AppendResult,
  epoch: string | undefined,
): Position | undefined {
  if (result.outcome !== 'ended') return undefined;
  if ('head' in result) return { epoch: result.head.epoch, seq: result.head.end };
  return epoch === undefined ? undefined : { epoch, seq: result.end };
}
