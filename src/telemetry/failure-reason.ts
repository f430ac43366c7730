// Why Redis or the database is unavailable, found in the causes of an error: for the log in full, and for everyone in
// words that name no host, user or row.
import { messageOf } from '../event/error-message.ts';
import { isExecstreamError } from '../event/errors.ts';

/** Reasons by the code of an error of Node, by SQLSTATE, and by the first word of Redis' error reply. */
const REASONS: { readonly [code: string]: string } = {
  ENOTFOUND: 'unknown host',
  EAI_AGAIN: 'the host name cannot be resolved',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection lost',
  EPIPE: 'connection lost',
  ETIMEDOUT: 'no response',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'host unreachable',
  '28P01': 'wrong password',
  '28000': 'its user may not connect',
  '3D000': 'no such database',
  '42501': 'insufficient privileges',
  '53100': 'no disk space left',
  '53300': 'too many connections',
  '57P01': 'shutting down',
  '57P03': 'starting up or shutting down',
  WRONGPASS: 'wrong user or password',
  NOAUTH: 'a password is required',
  DENIED: 'protected mode',
  LOADING: 'it is loading its data',
};

/** Reasons by the text of an error without a code. */
const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/DB index is out of range/, 'no such database'],
  [/cluster support disabled/, 'it is not a cluster'],
  [/^All sentinels are unreachable/, 'no Sentinel names the master'],
  [/Can't reach database server/, 'unreachable'],
  [/password must be a string/, 'a password is required'],
  [/^the server closed the connection|Connection terminated/, 'connection lost'],
  [/\bTLS\b|\bSSL\b|certificate/i, 'TLS failed'],
];

const TLS_CODE = /^(ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|EPROTO$)/;

/** Limit on nested causes. */
const MAX_CAUSES = 8;

/** The first reason that an error or one of its causes gives, without names; undefined if none is known. */
export function failureReasonOf(error: unknown): string | undefined {
  for (const { message, code } of causesOf(error)) {
    const word = /^-?([A-Z]+) /.exec(message)?.[1] ?? '';
    const reason = REASONS[String(code)] ?? REASONS[word];
    if (reason !== undefined) return reason;
    if (TLS_CODE.test(String(code))) return 'TLS failed';
    const text = TEXTS.find(([pattern]) => pattern.test(message));
    if (text) return text[1];
  }
  return undefined;
}

/** As `messageOf`, in one line and with the causes of ExecstreamErrors. They may name hosts and users. */
export function describeFailure(error: unknown, depth = 0): string {
  // The messages of Prisma have several lines.
  const text = messageOf(error)
    .replace(/\s*[\r\n]+\s*/g, ' ')
    .trim();
  const inner = isExecstreamError(error) && depth < MAX_CAUSES ? error.cause : undefined;
  const cause = inner === undefined ? '' : describeFailure(inner, depth + 1);
  // A wrapped error often repeats the message of its cause.
  return cause === '' || text.endsWith(cause) ? text : `${text}: ${cause}`;
}

interface Failure {
  readonly message: string;
  readonly code?: unknown;
}

function causesOf(error: unknown): Failure[] {
  const causes: Failure[] = [];
  for (let next = error; next !== undefined && next !== null && causes.length < MAX_CAUSES; ) {
    if (!(next instanceof Error)) return [...causes, { message: String(next) }];
    causes.push(next);
    // Node's error of a host with several addresses has no message, but an error for each of them.
    next = next.cause ?? (next instanceof AggregateError ? next.errors[0] : undefined);
  }
  return causes;
}
