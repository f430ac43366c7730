// What a log's refusal means to the publisher that it refuses.
import { ExecstreamError } from '../event/errors.ts';
import type { Position } from '../lifecycle/end-execution.ts';
import type { AppendResult, OpenResult } from '../log/log.ts';

/** An answer of the log that is for good, as the error that the run aborts with. */
export function toRunError(result: OpenResult | AppendResult): ExecstreamError {
  switch (result.outcome) {
    case 'ended':
      return new ExecstreamError('ENDED', 'the execution has ended; nothing follows its end');
    case 'superseded':
      return new ExecstreamError(
        'SUPERSEDED',
        `another publisher has the execution, at attempt ${result.attempt}`,
      );
    default:
      return new ExecstreamError(
        'SUPERSEDED',
        `a source writes this log, not a publisher (${result.outcome})`,
      );
  }
}

/** Where the log ended, if that is why it refuses. */
export function endPositionOf(
  result: OpenResult | AppendResult,
  epoch: string | undefined,
): Position | undefined {
  if (result.outcome !== 'ended') return undefined;
  if ('head' in result) return { epoch: result.head.epoch, seq: result.head.end };
  return epoch === undefined ? undefined : { epoch, seq: result.end };
}
