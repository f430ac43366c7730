// When the database fails: every wait has a bound, and every failure becomes an ExecstreamError.
import { withTimeout } from '../../async/timeout.ts';
import { ExecstreamError, isExecstreamError } from '../../event/errors.ts';

/**
 * Waits for a database operation. The operation itself is not stopped: the connection's own timeouts do that, and the
 * store's methods are idempotent.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` after `ms`; otherwise as `toExecstreamError` says.
 */
export async function withDatabaseTimeout<T>(ms: number, work: Promise<T>): Promise<T> {
  const error = () => unavailable(new Error(`no response within ${ms} ms`));
  try {
    return await withTimeout(() => work, { ms, error });
  } catch (error) {
    throw toExecstreamError(error);
  }
}

/**
 * The error that a caller gets. Where the server ran a statement and refused it, that is a fault of ours
 * (`INTERNAL`); all else, from a refused connection to a server that shuts down, may pass (`SOURCE_UNAVAILABLE`).
 * The message names no host and no row; the cause does.
 */
export function toExecstreamError(error: unknown): ExecstreamError {
  if (isExecstreamError(error)) return error;
  const state = sqlState(error);
  if (isRefusal(state) || (error instanceof Error && error.name === 'PrismaClientValidationError')) {
    const detail = state ? ` (SQLSTATE ${state})` : '';
    return new ExecstreamError('INTERNAL', `The database refused a statement${detail}`, { cause: error });
  }
  if (state === READ_ONLY) return readOnly(error);
  return unavailable(error, state === DISK_FULL ? 'has no disk space left' : undefined);
}

/** `read_only_sql_transaction`: what a hot standby answers to a write, too. */
const READ_ONLY = '25006';

/** `disk_full`: a file of a table cannot grow. Reads go on. */
const DISK_FULL = '53100';

/** The error where the database answers and accepts no writes. */
export function readOnly(cause?: unknown): ExecstreamError {
  const why = 'a hot standby, or default_transaction_read_only is on';
  return new ExecstreamError('SOURCE_UNAVAILABLE', `The database of executions is read-only: ${why}`, {
    cause,
  });
}

function unavailable(cause: unknown, condition = 'does not answer'): ExecstreamError {
  return new ExecstreamError('SOURCE_UNAVAILABLE', `The database of executions ${condition}`, { cause });
}

/** Classes of SQLSTATE: features, cardinality, data, constraints, syntax and rights. */
function isRefusal(state: string | undefined): boolean {
  return state !== undefined && ['0A', '21', '22', '23', '42'].includes(state.slice(0, 2));
}

/** Postgres' own code of an error, from a driver's error or from inside of Prisma's. */
function sqlState(error: unknown): string | undefined {
  const { code, meta } = (error ?? {}) as { code?: unknown; meta?: DriverMeta };
  const state = meta?.driverAdapterError?.cause?.originalCode ?? code;
  return typeof state === 'string' && /^[0-9A-Z]{5}$/.test(state) && !/^P[0-9]{4}$/.test(state)
    ? state
    : undefined;
}

interface DriverMeta {
  driverAdapterError?: { cause?: { originalCode?: string } };
}
