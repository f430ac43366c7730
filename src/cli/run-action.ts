// Runs the action of a command: its exit code, and its errors as one line for a person.
import { messageOf } from '../event/error-message.ts';
import { isExecstreamError } from '../event/errors.ts';
import { EXIT_CODES, exitCodeOfError } from './exit-codes.ts';
import { sanitize } from './view/text-width.ts';

/** What to do about an error, by its code. */
const ADVICE: { readonly [code: string]: string } = {
  UNAUTHENTICATED: '; set --token or EXECSTREAM_TOKEN',
};

/**
 * Runs an action and sets the exit code to the one that it returns.
 * @param exitCodeOf the exit code of an error
 */
export async function runAction(
  action: () => Promise<number>,
  exitCodeOf: (error: unknown) => number = exitCodeOfError,
): Promise<void> {
  process.stdout.on('error', onOutputError);
  try {
    process.exitCode = await action();
  } catch (error) {
    const advice = isExecstreamError(error) ? (ADVICE[error.code] ?? '') : '';
    // A message may be that of a server.
    process.stderr.write(`execstream: ${sanitize(messageOf(error))}${advice}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

/** The reader of a pipe, such as `head`, has all that it needs. */
function onOutputError(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT_CODES.success);
}
