// The exit codes of the commands (docs/cli.md, "Exit codes").
import { type ErrorCode, isExecstreamError } from '../event/errors.ts';
import type { ExecutionStatus } from '../event/events.ts';

export const EXIT_CODES = {
  success: 0,
  /** The execution has failed; the server cannot be started; `doctor` has found a problem. */
  failed: 1,
  /** Wrong arguments. */
  usage: 2,
  canceled: 3,
  timedOut: 4,
  terminated: 5,
  notFound: 6,
  /** The token is missing, wrong or insufficient. */
  denied: 7,
  /** The server cannot be reached, is unavailable, or is not an execstream server. */
  unreachable: 8,
  /** By SIGINT; 128 + 2, as shells report it. */
  interrupted: 130,
} as const;

export const EXIT_CODES_HELP = `Exit codes:
  0  success; of tail and replay: the execution has succeeded
  1  the execution has failed; the server cannot be started; doctor has found a problem
  2  wrong arguments
  3  the execution was canceled
  4  the execution has timed out
  5  the execution was terminated
  6  there is no such execution
  7  the token is missing, wrong or insufficient
  8  the server cannot be reached
  130  interrupted`;

const BY_STATUS: { readonly [S in ExecutionStatus]?: number } = {
  SUCCESS: EXIT_CODES.success,
  CANCELED: EXIT_CODES.canceled,
  TIMED_OUT: EXIT_CODES.timedOut,
  TERMINATED: EXIT_CODES.terminated,
};

const BY_CODE: { readonly [C in ErrorCode]?: number } = {
  BAD_USER_INPUT: EXIT_CODES.usage,
  BAD_CURSOR: EXIT_CODES.usage,
  NOT_FOUND: EXIT_CODES.notFound,
  UNAUTHENTICATED: EXIT_CODES.denied,
  FORBIDDEN: EXIT_CODES.denied,
  SOURCE_UNAVAILABLE: EXIT_CODES.unreachable,
  CAPACITY: EXIT_CODES.unreachable,
  TOO_MANY_STREAMS: EXIT_CODES.unreachable,
  TOO_MANY_REQUESTS: EXIT_CODES.unreachable,
  LOG_CORRUPT: EXIT_CODES.unreachable,
  CONFIG: EXIT_CODES.unreachable,
};

/** The exit code of a command that has followed an execution to its end. */
export function exitCodeOfStatus(status: ExecutionStatus): number {
  return BY_STATUS[status] ?? EXIT_CODES.failed;
}

/** The exit code of a client command that has failed. */
export function exitCodeOfError(error: unknown): number {
  return (isExecstreamError(error) && BY_CODE[error.code]) || EXIT_CODES.failed;
}
