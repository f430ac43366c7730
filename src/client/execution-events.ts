// The events of an execution over GraphQL: the requests, and the decoding of their messages.
import { type EventType, type ExecutionEvent, type ExecutionKind, isTerminal } from '../event/events.ts';
import type { Decoded } from './event-stream.ts';
import { errorOf, type Rejection } from './rejection.ts';
import type { SseMessage } from './sse-parser.ts';

/** The URL of a query or subscription by GET. A redirect of a POST would lose the body. */
export function graphQLUrl(url: string, query: string, variables: object): string {
  const parameters = new URLSearchParams({ query, variables: JSON.stringify(variables) });
  return `${url.replace(/\/?$/, '/graphql')}?${parameters}`;
}

/** The URL of an execution's stream. All clients send the same document, so that servers encode each event once. */
export function eventsUrl(
  url: string,
  kind: ExecutionKind,
  id: string,
  events?: readonly EventType[],
): string {
  const query = `subscription($id:ID!,$events:[EventType!]){${kind}Stream(id:$id,events:$events){id seq type ts executionId attempt data}}`;
  return graphQLUrl(url, query, { id, events: events?.map((type) => type.toUpperCase()) });
}

interface Result extends Rejection {
  readonly data?: Readonly<Record<string, ExecutionEvent>> | null;
}

/**
 * Creates the decoder of one stream. It drops events that were received before, by epoch and seq.
 * @param after the cursor that the stream begins after; empty for none
 */
export function createEventDecoder(after: string): (message: SseMessage) => Decoded<ExecutionEvent> {
  let [seq, epoch] = positionOf(after);
  let ts: string | undefined;

  /** The server repeats the position of the last event for a warning that it generates. */
  function isNew(event: ExecutionEvent): boolean {
    const [, eventEpoch] = positionOf(event.id);
    const isReplay = event.type === 'reset' && event.seq === 0;
    const isSame = eventEpoch === epoch && !isReplay;
    if (isSame && event.seq === seq) return event.type === 'warning' && event.ts !== ts;
    if (isSame && event.seq < seq) return false;
    [seq, epoch, ts] = [event.seq, eventEpoch, event.ts];
    return true;
  }

  return ({ event: name, data }) => {
    if (name === 'complete') return { isEnd: true };
    if (name !== 'next' || data === undefined) return {};
    const result = JSON.parse(data) as Result;
    if (result.errors) throw errorOf(result, 'BAD_USER_INPUT');
    const node = Object.values(result.data ?? {})[0];
    if (!node) return {};
    const event = { ...node, type: node.type.toLowerCase() } as ExecutionEvent;
    return { event: isNew(event) ? event : undefined, isEnd: isTerminal(event.type) };
  };
}

/** The seq and the epoch of a cursor; 0 and undefined for an empty one. */
export function positionOf(cursor: string): [seq: number, epoch: string | undefined] {
  const [seq, epoch] = cursor.split('-');
  return [Number(seq), epoch];
}
