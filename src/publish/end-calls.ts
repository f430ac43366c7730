// The calls that end a run, and the one that gives up an attempt. Whatever they are given, the execution ends.
import { codeOf, messageOf, propertyOf } from '../event/error-message.ts';
import { type FailedStatus, isFinal, type JsonValue, timestamp, type Usage } from '../event/events.ts';
import { copyJson } from '../event/json.ts';
import { truncateToBytes } from '../event/text.ts';
import type { ExecutionEnd } from '../execution/store.ts';
import type { ExecutionPublisher } from './execution-publisher.ts';
import type { RunContext } from './run-context.ts';

export type EndCalls = Pick<ExecutionPublisher, 'complete' | 'fail' | 'abandon'>;

/** @param lastUsage the usage that the end carries */
export function createEndCalls(context: RunContext, lastUsage: () => Usage | undefined): EndCalls {
  const { id, kind, content, lifecycle, redaction, logger, sizes, isLate, push } = context;

  /** @param endOf computes the end once all content has been published */
  function finish(endOf: () => ExecutionEnd, resultIsContent = false): Promise<boolean> {
    if (!isLate()) endContent();
    const usage = lastUsage();
    return lifecycle.end(usage ? { ...endOf(), usage } : endOf(), resultIsContent);
  }

  /** Content that cannot be published must not leave the execution open. */
  function endContent(): void {
    try {
      content.end();
    } catch (err) {
      logger.error({ executionId: id, err }, 'the last content was not published');
    }
  }

  /** Success with the given result, or else with the text or value that was published. */
  function successWith(result: unknown): ExecutionEnd {
    const status = 'SUCCESS';
    if (result === undefined && kind === 'workflow') return { status };
    const kept = result === undefined ? content.result() : jsonResult(result);
    return kept === undefined ? { status, resultOmitted: true } : { status, result: kept };
  }

  function jsonResult(result: unknown): JsonValue | undefined {
    try {
      return redaction.json(copyJson(result as JsonValue, 'result'));
    } catch (err) {
      // The work is done, and a retry would not turn its result into JSON: the end is recorded without it.
      logger.error({ executionId: id, err }, 'result is not JSON; ending without it');
      return undefined;
    }
  }

  function failedStatusOf(status: unknown): FailedStatus {
    if (isFinal(status as FailedStatus) && status !== 'SUCCESS') return status as FailedStatus;
    if (status !== undefined) {
      const expected = 'expected the status FAILED, CANCELED, TIMED_OUT or TERMINATED';
      logger.error({ executionId: id }, `fail(): ${expected}; ending as FAILED`);
    }
    return 'FAILED';
  }

  return {
    complete: async (result) => finish(() => successWith(result), result === undefined),
    async fail(error, how) {
      const status = failedStatusOf(propertyOf(how, 'status'));
      const code = propertyOf(how, 'code');
      // A caller without types may pass another code than a text.
      const errorCode = code ? messageOf(code) : codeOf(error);
      const failure = { message: messageOf(error), ...(errorCode !== undefined && { code: errorCode }) };
      return finish(() => ({ status, error: redaction.json(failure) }));
    },
    async abandon(error) {
      if (isLate()) return;
      const message = truncateToBytes(redaction.string(messageOf(error)), sizes.part / 2);
      endContent();
      push({ type: 'warning', ts: timestamp(), data: { code: 'ATTEMPT_FAILED', message } });
      await lifecycle.leave('abandoned');
    },
  };
}
