// Errors of Redis as ExecstreamErrors.
import { ExecstreamError } from '../event/errors.ts';

/** Error replies about the data or the command: another client may have written to our keys, and may repair them. */
const REJECTED = /^(ERR|WRONGTYPE|NOSCRIPT|CROSSSLOT) /;

export function toRedisError(error: Error): ExecstreamError {
  if (error instanceof ExecstreamError) return error;
  if (error.name === 'ReplyError' && REJECTED.test(error.message)) {
    return unavailable('Redis rejected a command', error);
  }
  return unavailable('Redis is not available', error);
}

/** A temporary failure: the same call can succeed later. */
export function unavailable(message: string, cause?: unknown): ExecstreamError {
  return new ExecstreamError('SOURCE_UNAVAILABLE', message, { cause });
}
