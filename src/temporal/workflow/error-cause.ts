// The terminal event of a workflow, made to fit: it is never refused.
import { messageOf } from '../../event/errors.ts';
import type { EventData, FailedStatus, JsonValue, Usage } from '../../event/events.ts';
import { MAX_DATA_BYTES } from '../../event/events.ts';
import { utf8Bytes } from './event-buffer.ts';

/** GraphQL's Int, which carries durations, ends here. */
const MAX_INT = 2 ** 31 - 1;
/** Code units of a message and a code; JSON makes at most 6 bytes of each. */
const MAX_MESSAGE_UNITS = 8_000;
const MAX_CODE_UNITS = 200;

/** What every end tells. */
export interface Always {
  readonly usage?: Usage;
  readonly durationMs: number;
}

/** What an end always tells, from the start of the chain of runs. */
export function always(startTime: Date, now: number, usage: Usage | undefined): Always {
  const durationMs = Math.min(Math.max(0, now - startTime.getTime()), MAX_INT);
  return { ...(usage && { usage }), durationMs };
}

/** @param result what the workflow returned; left out where it is no JSON or too large. */
export function completeData(result: unknown, told: Always): EventData['complete'] {
  const bare = { status: 'SUCCESS' as const, ...told };
  if (result === undefined) return bare;
  try {
    const whole = JSON.stringify({ ...bare, result });
    if (utf8Bytes(whole) <= MAX_DATA_BYTES) return JSON.parse(whole) as { result: JsonValue } & typeof bare;
  } catch {
    // A circle, a BigInt: Temporal's own converter may know what to do with it.
  }
  return { ...bare, resultOmitted: true };
}

/** @param error what the workflow threw: the innermost cause tells what went wrong. */
export function errorData(status: FailedStatus, error: unknown, told: Always): EventData['error'] {
  const cause = innermost(error);
  const type = (cause as { type?: unknown }).type;
  const code = typeof type === 'string' && type !== 'Error' ? type.slice(0, MAX_CODE_UNITS) : undefined;
  return { status, message: innermostMessage(error), ...(code && { code }), ...told };
}

/** The message of the innermost cause: Temporal's outer errors say only "Activity task failed". */
export function innermostMessage(error: unknown): string {
  const message = messageOf(innermost(error));
  if (message.length <= MAX_MESSAGE_UNITS) return message;
  // Not inside a surrogate pair.
  return `${message.slice(0, MAX_MESSAGE_UNITS).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

function innermost(error: unknown): unknown {
  let cause = error;
  for (let depth = 0; depth < 20 && cause instanceof Error && cause.cause instanceof Error; depth += 1) {
    cause = cause.cause;
  }
  return cause ?? 'failed';
}
