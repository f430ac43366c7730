// The calls that end a run, and the one that gives up an attempt.
import { codeOf, messageOf } from '../event/error-message.ts';
import { type JsonValue, timestamp, type Usage } from '../event/events.ts';
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
  function finish(endOf: () => ExecutionEnd): Promise<boolean> {
    if (!isLate()) content.end();
    const usage = lastUsage();
    return lifecycle.end(usage ? { ...endOf(), usage } : endOf());
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

  return {
    complete: async (result) => finish(() => successWith(result)),
    async fail(error, { status = 'FAILED', code } = {}) {
      // A caller without types may pass another code than a text.
      const errorCode = code ? messageOf(code) : codeOf(error);
      const failure = { message: messageOf(error), ...(errorCode !== undefined && { code: errorCode }) };
      return finish(() => ({ status, error: redaction.json(failure) }));
    },
    async abandon(error) {
      if (isLate()) return;
      const message = truncateToBytes(redaction.string(messageOf(error)), sizes.part / 2);
      content.end();
      push({ type: 'warning', ts: timestamp(), data: { code: 'ATTEMPT_FAILED', message } });
      await lifecycle.leave('abandoned');
    },
  };
}
