// What went wrong in a workflow: the innermost cause of the error that it threw.
import { messageOf, propertyOf } from '../../event/error-message.ts';
import { MAX_MESSAGE_UNITS } from '../../event/terminal-event.ts';
import { truncate } from '../../event/text.ts';

/** The message and type of the innermost cause. Temporal's outer errors say only "Activity task failed". */
export function errorCause(error: unknown): { readonly message: string; readonly code: string | undefined } {
  const cause = innermost(error);
  const type = propertyOf(cause, 'type');
  const code = typeof type === 'string' && type !== 'Error' ? type : undefined;
  return { message: truncate(messageOf(cause), MAX_MESSAGE_UNITS), code };
}

function innermost(error: unknown): unknown {
  let cause = error;
  for (let depth = 0; depth < 20 && cause instanceof Error; depth += 1) {
    const next = propertyOf(cause, 'cause');
    if (!(next instanceof Error)) break;
    cause = next;
  }
  return cause ?? 'failed';
}
