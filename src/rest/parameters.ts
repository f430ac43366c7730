// The parameters of a stream, validated before anything is looked up (PROTOCOL.md, "REST aliases").
import { parseCursor } from '../event/cursor.ts';
import { ExecstreamError } from '../event/errors.ts';
import { EVENT_TYPES, type EventType, type ExecutionKind } from '../event/events.ts';
import { checkExecutionId } from '../event/execution-id.ts';
import { listValues, singleValue } from '../event/query-parameters.ts';
import { decodePageCursor } from '../execution/page-cursor.ts';
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
    after,
    events: eventTypes(listValues(query, 'events')),
    pollMs: pollInterval(singleValue(query, 'poll_ms')),
    data: dataFormat(singleValue(query, 'data')),
    isPing: isPingRequested(request.url),
  };
}

/** The limit and the default of `children_first`. */
export const MAX_CHILDREN = 100;

/**
 * Reads the parameters of a state: which children it contains.
 * @throws ExecstreamError `BAD_USER_INPUT`, naming the parameter
 */
export function childrenParameters(request: Request): { first: number; after: string | undefined } {
  const query = new URL(request.url).searchParams;
  const text = singleValue(query, 'children_first') ?? String(MAX_CHILDREN);
  const first = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(first >= 1 && first <= MAX_CHILDREN)) {
    const shown = text.slice(0, 40);
    throw new ExecstreamError(
      'BAD_USER_INPUT',
      `children_first: expected 1 to ${MAX_CHILDREN}, got "${shown}"`,
    );
  }
  const after = singleValue(query, 'children_after');
  // Checked here, so that the error names this parameter.
  if (after !== undefined) checkChildrenCursor(after);
  return { first, after };
}

function checkChildrenCursor(after: string): void {
  try {
    decodePageCursor(after);
  } catch {
    const message = 'children_after: expected the `childrenCursor` of a state';
    throw new ExecstreamError('BAD_USER_INPUT', message);
  }
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
