// Messages and codes of Temporal's failures: those of the innermost cause, because the outer ones say only "Activity
// task failed".
import type { temporal } from '@temporalio/proto';
import { MAX_CODE_UNITS } from '../../event/terminal-event.ts';
import { truncate } from '../../event/text.ts';

export type Failure = temporal.api.failure.v1.Failure.$Properties;

/** UTF-16 code units of a message in rows, warnings and steps. */
const MAX_MESSAGE_UNITS = 2_000;

/** The message of the innermost cause, truncated. */
export function failureMessage(failure: Failure | null | undefined): string {
  return truncate(innermost(failure)?.message || failure?.message || 'failed', MAX_MESSAGE_UNITS);
}

/** The type of an application's error, unless it is the generic `Error`. */
export function failureCode(failure: Failure | null | undefined): string | undefined {
  const type = innermost(failure)?.applicationFailureInfo?.type;
  return type && type !== 'Error' ? type.slice(0, MAX_CODE_UNITS) : undefined;
}

function innermost(failure: Failure | null | undefined): Failure | undefined {
  let cause = failure ?? undefined;
  for (let depth = 0; depth < 20 && cause?.cause; depth += 1) cause = cause.cause;
  return cause;
}
