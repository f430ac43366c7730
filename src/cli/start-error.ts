// Explains to an operator why the command ended: a line that names each wrong setting, without a stack trace.
import { messageOf } from '../event/error-message.ts';
import { isExecstreamError } from '../event/errors.ts';
import type { Environment } from '../server/config/env.ts';
import { withFlagNames } from '../server/config/flags.ts';
import { describeFailure } from '../telemetry/failure-reason.ts';

/** What to change, by the code of an error of `listen` or of resolving its address. */
const LISTEN_ERRORS: { readonly [code: string]: string } = {
  EADDRINUSE: 'PORT: already in use; set another one, or 0 for a free one',
  EACCES: 'PORT: no permission to listen on it; set one above 1023, or grant CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'HOST: expected an address of this machine',
  EAFNOSUPPORT: 'HOST: expected an address of a family that this machine supports',
  EINVAL: 'HOST: expected an address that can be listened on',
  ENOTFOUND: 'HOST: expected an address, or a name that can be resolved',
  EAI_AGAIN: 'HOST: expected an address, or a name that can be resolved',
};

const LISTEN_CALLS = ['listen', 'bind', 'getaddrinfo'];

/**
 * Returns the messages of an error and of its causes; for an error of `listen`, the setting to change; for several wrong
 * settings, a line for each.
 * @param flags the values that flags have set, by the names of their variables
 */
export function explainStartError(error: unknown, flags: Environment = {}): string {
  const { code = '', syscall = '' } = (error ?? {}) as NodeJS.ErrnoException;
  const setting = LISTEN_CALLS.includes(syscall) ? LISTEN_ERRORS[code] : undefined;
  if (setting !== undefined) return withFlagNames(`${setting} (${messageOf(error)})`, flags);
  if (!isExecstreamError(error, 'CONFIG')) return describeFailure(error);
  const lines = withFlagNames(error.message, flags).split('\n');
  if (lines.length > 1) return [`${lines.length} settings are wrong`, ...lines].join('\n  ');
  return withFlagNames(describeFailure(error), flags);
}
