// The runs of a Temporal workflow, as lists return them, and the cursors of these lists.
//
// A cursor names a run by its start, and not a page of Temporal's: pages can start after any run, on every server.
import { ExecstreamError } from '../event/errors.ts';
import type { ExecutionStatus } from '../event/events.ts';
import type { ExecutionSummary } from './store.ts';

/** One run. */
export interface WorkflowRunSummary {
  readonly runId: string;
  /** A run that continued as new has succeeded. */
  readonly status: ExecutionStatus;
  /** RFC 3339, with nanoseconds. */
  readonly startedAt: string;
  /** The same; undefined while the run is open. */
  readonly finishedAt: string | undefined;
}

/** A position in a list of runs. */
export type RunPosition = Pick<WorkflowRunSummary, 'startedAt' | 'runId'>;

export interface RunPageRequest {
  /** 1 to 100. */
  readonly first: number;
  /**
   * Where the page starts.
   * @default the newest run
   */
  readonly after?: RunPosition | undefined;
}

/** Newest first. */
export interface RunPage {
  readonly runs: readonly WorkflowRunSummary[];
  readonly hasNextPage: boolean;
  /** Where the next page starts, if not after the last run. */
  readonly end?: RunPosition | undefined;
}

/**
 * Lists the runs of a Temporal workflow.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE`
 */
export type ListRuns = (workflow: ExecutionSummary, page: RunPageRequest) => Promise<RunPage>;

/** The cursor of a run: opaque to clients. */
export function encodeRunCursor({ startedAt, runId }: RunPosition): string {
  return Buffer.from(`${startedAt} ${runId}`).toString('base64url');
}

const POSITION = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) ([0-9a-f-]{36})$/;
/** The length of every cursor. */
export const RUN_CURSOR_LENGTH = encodeRunCursor({ startedAt: '-'.repeat(30), runId: '-'.repeat(36) }).length;

/**
 * The position of a cursor.
 * @throws ExecstreamError `BAD_USER_INPUT` if the text is not a cursor of a list of runs
 */
export function decodeRunCursor(cursor: string): RunPosition {
  const text = cursor.length === RUN_CURSOR_LENGTH ? Buffer.from(cursor, 'base64url').toString() : '';
  const [, startedAt, runId] = POSITION.exec(text) ?? [];
  if (startedAt !== undefined && runId !== undefined) return { startedAt, runId };
  throw new ExecstreamError(
    'BAD_USER_INPUT',
    'after: expected a cursor of a list of runs, as in `endCursor`',
  );
}
