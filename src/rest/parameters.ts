// The parameters of a stream and of a state, validated before anything is looked up (PROTOCOL.md, "REST aliases").
import { parseCursor } from '../event/cursor.ts';
import { ExecstreamError } from '../event/errors.ts';
import { EVENT_TYPES, type EventType, type ExecutionKind } from '../event/events.ts';
import { checkExecutionId } from '../event/execution-id.ts';
import { checkRunId } from '../event/execution-key.ts';
import { listValues, singleValue } from '../event/query-parameters.ts';
import { decodePageCursor } from '../execution/page-cursor.ts';
import { decodeRunCursor } from '../execution/workflow-runs.ts';
import { POLL_MS } from '../schema/streams.ts';
import { isPingRequested } from '../sse/stream-format.ts';

/** Kinds by their path segment. */
export const KINDS: { readonly [plural: string]: ExecutionKind } = {
  workflows: 'workflow',
  agents: 'agent',
  tasks: 'task',
};

/** How the data of `llm_chunk` is sent: as plain text, or as JSON like the data of all other types. */
export const DATA_FORMATS = ['text', 'json'] as const;
export type DataFormat = (typeof DATA_FORMATS)[number];

export interface StreamParameters {
  readonly id: string;
  /** The run; undefined: the latest. */
  readonly runId: string | undefined;
  /** The cursor, unparsed. */
  readonly after: string | undefined;
  readonly events: readonly EventType[] | undefined;
  readonly pollMs: number;
  readonly data: DataFormat;
  /** Whether heartbeats are messages. */
  readonly isPing: boolean;
}

/**
 * Reads the parameters of a stream.
 * @throws ExecstreamError `BAD_CURSOR` or `BAD_USER_INPUT`, naming the parameter.
 */
export function streamParameters(request: Request, id: string): StreamParameters {
  const query = new URL(request.url).searchParams;
  const first = singleValue(query, 'last_event_id');
  const after = request.headers.get('last-event-id') || first;
  for (const cursor of [first, after]) if (cursor !== undefined) parseCursor(cursor);
  return {
    id: checkExecutionId(id),
    runId: runIdOf(query),
    after,
    events: eventTypes(listValues(query, 'events')),
    pollMs: pollInterval(singleValue(query, 'poll_ms')),
    data: dataFormat(singleValue(query, 'data')),
    isPing: isPingRequested(request.url),
  };
}

/** The limit of `children_first` and of `runs_first`. */
export const MAX_PAGE_SIZE = 100;
/** The default of `runs_first`, if the runs are requested. */
export const DEFAULT_RUNS = 20;

/** The variables of the query for a state. */
export interface StateParameters {
  readonly runId: string | undefined;
  readonly childrenFirst: number;
  readonly childrenAfter: string | undefined;
  /** Whether the state contains runs. */
  readonly hasRuns: boolean;
  readonly runsFirst: number;
  readonly runsAfter: string | undefined;
}

/**
 * Reads the parameters of a state: the run, and which children and runs it contains.
 * @throws ExecstreamError `BAD_USER_INPUT`, naming the parameter
 */
export function stateParameters(request: Request): StateParameters {
  const query = new URL(request.url).searchParams;
  const runsFirst = pageSize(query, 'runs_first');
  const runsAfter = pageCursor(query, 'runs_after', decodeRunCursor, 'the `runsCursor` of a state');
  return {
    runId: runIdOf(query),
    childrenFirst: pageSize(query, 'children_first') ?? MAX_PAGE_SIZE,
    childrenAfter: pageCursor(query, 'children_after', decodePageCursor, 'the `childrenCursor` of a state'),
    hasRuns: runsFirst !== undefined || runsAfter !== undefined,
    runsFirst: runsFirst ?? DEFAULT_RUNS,
    runsAfter,
  };
}

function pageSize(query: URLSearchParams, name: string): number | undefined {
  const text = singleValue(query, name);
  if (text === undefined) return undefined;
  const size = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (size >= 1 && size <= MAX_PAGE_SIZE) return size;
  const message = `${name}: expected 1 to ${MAX_PAGE_SIZE}, got "${text.slice(0, 40)}"`;
  throw new ExecstreamError('BAD_USER_INPUT', message);
}

/** Checks a cursor here, so that the error names this parameter. */
function pageCursor(
  query: URLSearchParams,
  name: string,
  decode: (cursor: string) => unknown,
  expected: string,
): string | undefined {
  const cursor = singleValue(query, name);
  try {
    if (cursor !== undefined) decode(cursor);
  } catch {
    throw new ExecstreamError('BAD_USER_INPUT', `${name}: expected ${expected}`);
  }
  return cursor;
}

function runIdOf(query: URLSearchParams): string | undefined {
  const runId = singleValue(query, 'run_id');
  return runId === undefined ? undefined : checkRunId(runId, 'run_id');
}

function eventTypes(names: readonly string[]): readonly EventType[] | undefined {
  const unknown = names.find((name) => !(EVENT_TYPES as readonly string[]).includes(name));
  if (unknown !== undefined) {
    const shown = unknown.slice(0, 40);
    throw new ExecstreamError('BAD_USER_INPUT', `events: expected ${EVENT_TYPES.join(', ')}, got "${shown}"`);
  }
  return names.length > 0 ? (names as readonly EventType[]) : undefined;
}

function dataFormat(text: string | undefined): DataFormat {
  const format = DATA_FORMATS.find((each) => each === (text ?? 'text'));
  if (format) return format;
  throw new ExecstreamError('BAD_USER_INPUT', `data: expected text or json, got "${text!.slice(0, 40)}"`);
}

function pollInterval(text: string | undefined): number {
  if (text === undefined) return POLL_MS.default;
  const ms = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(ms >= POLL_MS.least && ms <= POLL_MS.most)) {
    const { least, most } = POLL_MS;
    throw new ExecstreamError(
      'BAD_USER_INPUT',
      `poll_ms: expected ${least} to ${most}, got "${text.slice(0, 40)}"`,
    );
  }
  return ms;
}
