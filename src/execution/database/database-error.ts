// Failures of the database: every wait has a timeout, and every failure becomes an ExecstreamError.
import { withTimeout } from '../../async/timeout.ts';
import { ExecstreamError, isExecstreamError } from '../../event/errors.ts';

/**
 * Waits for a database operation. The operation itself is not stopped: the connection's own timeouts do that, and the
 * store's methods are idempotent.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` after `ms`; otherwise the error of `toDatabaseError`
 */
export async function withDatabaseTimeout<T>(ms: number, work: Promise<T>): Promise<T> {
  const error = () => unavailable(new Error(`no response within ${ms} ms`));
  try {
    return await withTimeout(() => work, { ms, error });
  } catch (error) {
    throw toDatabaseError(error);
  }
}

/**
 * Converts an error for callers. A statement that the server rejects is a fault of this program (`INTERNAL`); every
 * other failure, from a failed connection to a server that shuts down, may be temporary (`SOURCE_UNAVAILABLE`).
 * The message names no host and no row; the cause may.
 */
export function toDatabaseError(error: unknown): ExecstreamError {
  if (isExecstreamError(error)) return error;
  const state = sqlState(error);
  if (isRejection(state) || (error instanceof Error && error.name === 'PrismaClientValidationError')) {
    const detail = state ? ` (SQLSTATE ${state})` : '';
    return new ExecstreamError('INTERNAL', `database rejected a statement${detail}`, { cause: error });
  }
  if (state === READ_ONLY) return readOnly(error);
  return unavailable(error, state === DISK_FULL ? 'has no disk space left' : undefined);
}

/** `read_only_sql_transaction`, also a hot standby's response to a write. */
const READ_ONLY = '25006';

/** `disk_full`: a file of a table cannot grow. Reads still work. */
const DISK_FULL = '53100';

/** The error of a database that responds but accepts no writes. */
export function readOnly(cause?: unknown): ExecstreamError {
  const reason = 'a hot standby, or default_transaction_read_only is on';
  return unavailable(cause, `is read-only: ${reason}`);
}

function unavailable(cause: unknown, condition = 'is unavailable'): ExecstreamError {
  return new ExecstreamError('SOURCE_UNAVAILABLE', `database of executions ${condition}`, { cause });
}

/** Classes of SQLSTATE: features, cardinality, data, constraints, syntax and privileges. */
function isRejection(state: string | undefined): boolean {
  return state !== undefined && ['0A', '21', '22', '23', '42'].includes(state.slice(0, 2));
}

/** The SQLSTATE of a driver's error, also inside an error of Prisma. */
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
