// What a failure of Temporal's says: the innermost cause, for the outer ones say only "Activity task failed".
import type { temporal } from '@temporalio/proto';

export type Failure = temporal.api.failure.v1.Failure.$Properties;

/** Code units of a message and of a code. */
const MAX_MESSAGE_UNITS = 2_000;
const MAX_CODE_UNITS = 200;

/** The message of the innermost cause. */
export function failureMessage(failure: Failure | null | undefined): string {
  const message = innermost(failure)?.message || failure?.message || 'failed';
  if (message.length <= MAX_MESSAGE_UNITS) return message;
  // Not inside a surrogate pair.
  return `${message.slice(0, MAX_MESSAGE_UNITS).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** The type of an application's error, where it has one of its own. */
export function failureCode(failure: Failure | null | undefined): string | undefined {
  const type = innermost(failure)?.applicationFailureInfo?.type;
  return type && type !== 'Error' ? type.slice(0, MAX_CODE_UNITS) : undefined;
}

function innermost(failure: Failure | null | undefined): Failure | undefined {
  let cause = failure ?? undefined;
  for (let depth = 0; depth < 20 && cause?.cause; depth += 1) cause = cause.cause;
  return cause;
}
