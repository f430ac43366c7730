// The parameters of a stream, validated before anything is looked up (PROTOCOL.md, "REST aliases").
import { parseCursor } from '../event/cursor.ts';
import { ExecstreamError } from '../event/errors.ts';
import { EVENT_TYPES, type EventType, type ExecutionKind } from '../event/events.ts';
import { checkExecutionId } from '../event/execution-id.ts';
import { POLL_MS } from '../schema/streams.ts';
import { isPingRequested } from '../sse/stream-format.ts';

/** Kinds by their path segment. */
export const KINDS: { readonly [plural: string]: ExecutionKind } = {
  workflows: 'workflow',
  agents: 'agent',
  tasks: 'task',
};

export interface StreamParameters {
  readonly id: string;
  /** The cursor, unparsed. */
  readonly after: string | undefined;
  readonly events: readonly EventType[] | undefined;
  readonly pollMs: number;
  /** Whether heartbeats are messages. */
  readonly isPing: boolean;
}

/**
 * Reads the parameters of a stream.
 * @throws ExecstreamError `BAD_CURSOR` or `BAD_USER_INPUT`, naming the parameter.
 */
export function streamParameters(request: Request, id: string): StreamParameters {
  const query = new URL(request.url).searchParams;
  const after = request.headers.get('last-event-id') || query.get('last_event_id') || undefined;
  if (after !== undefined) parseCursor(after);
  return {
    id: checkExecutionId(id),
    after,
    events: eventTypes(query.get('events')),
    pollMs: pollInterval(query.get('poll_ms')),
    isPing: isPingRequested(request.url),
  };
}

function eventTypes(list: string | null): readonly EventType[] | undefined {
  const names = (list ?? '').split(',').flatMap((name) => name.trim() || []);
  const unknown = names.find((name) => !(EVENT_TYPES as readonly string[]).includes(name));
  if (unknown !== undefined) {
    const shown = unknown.slice(0, 40);
    throw new ExecstreamError('BAD_USER_INPUT', `events: expected ${EVENT_TYPES.join(', ')}, got "${shown}"`);
  }
  return names.length > 0 ? (names as EventType[]) : undefined;
}

function pollInterval(text: string | null): number {
  if (text === null || text === '') return POLL_MS.default;
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
