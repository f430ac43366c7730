// The keys under which rows, logs and leases are stored. The key of an execution is its id. A run of a workflow that is
// requested by its run id (a pinned run) has a row and a log beside those of the id, which names the latest run; its key
// is not an execution id, so it cannot be requested or published by it.
import { ExecstreamError } from './errors.ts';
import {
  invalidId,
  isExecutionId,
  isStorableId,
  MAX_EXECUTION_ID_BYTES,
  RESERVED_PREFIX,
} from './execution-id.ts';
import { startOf } from './text.ts';

const RUN_PREFIX = `${RESERVED_PREFIX}run/`;
const RUN_ID_LENGTH = 36;
const RUN_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const MAX_KEY_BYTES = RUN_PREFIX.length + RUN_ID_LENGTH + 1 + MAX_EXECUTION_ID_BYTES;

/** The parts of a key. */
export interface KeyParts {
  readonly executionId: string;
  /** The pinned run; undefined for an execution. */
  readonly runId: string | undefined;
}

/** The key of a pinned run. */
export function pinnedRunKey(executionId: string, runId: string): string {
  return `${RUN_PREFIX}${runId}/${executionId}`;
}

/** Parses a key. */
export function parseKey(key: string): KeyParts {
  if (!key.startsWith(RUN_PREFIX)) return { executionId: key, runId: undefined };
  const end = RUN_PREFIX.length + RUN_ID_LENGTH;
  return { executionId: key.slice(end + 1), runId: key.slice(RUN_PREFIX.length, end) };
}

/** The execution id of a key, which is what clients and policies see. */
export function executionIdOf(key: string): string {
  return key.startsWith(RUN_PREFIX) ? parseKey(key).executionId : key;
}

/** Whether a key is that of a pinned run. */
export function isPinnedRun(key: string): boolean {
  return key.startsWith(RUN_PREFIX);
}

/**
 * Checks the key of an execution or of a pinned run, and returns it.
 * @throws ExecstreamError `BAD_USER_INPUT`
 */
export function checkKey(key: string): string {
  if (isExecutionId(key)) return key;
  const { executionId, runId } = isStorableId(key, MAX_KEY_BYTES) ? parseKey(key) : NO_PARTS;
  if (runId === undefined || !RUN_ID.test(runId) || !isExecutionId(executionId)) throw invalidId(key);
  return key;
}

const NO_PARTS: KeyParts = { executionId: '', runId: undefined };

/**
 * Checks a run id of Temporal, before any lookup, and returns it as Temporal writes it.
 * @param name of the parameter
 * @throws ExecstreamError `BAD_USER_INPUT`
 */
export function checkRunId(runId: string, name: string): string {
  const lower = runId.toLowerCase();
  if (RUN_ID.test(lower)) return lower;
  const shown = JSON.stringify(startOf(runId, 80));
  throw new ExecstreamError('BAD_USER_INPUT', `${name}: expected the id of a run, a UUID, got ${shown}`);
}
