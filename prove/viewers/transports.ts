// How a viewer requests its stream and decodes the messages: REST, and GraphQL by GET and by POST.
import type { EventSourceMessage } from 'eventsource-parser';
import { parseCursor } from '../../src/event/cursor.ts';
import type { ExecutionKind } from '../../src/event/events.ts';
import type { Seen } from '../check/seen.ts';
import type { Transport } from '../plan.ts';

export interface Target {
  readonly url: string;
  readonly id: string;
  readonly kind: ExecutionKind;
}

export interface StreamRequest {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

/** A decoded message: an event, the end of the stream, or a rejection. */
export type Message =
  | { readonly is: 'event'; readonly id: string; readonly event: Seen }
  | { readonly is: 'end' }
  | { readonly is: 'rejected'; readonly code: string };

export interface StreamProtocol {
  request(after: string | undefined, query: Readonly<Record<string, string>>): StreamRequest;
  read(message: EventSourceMessage): Message;
}

export function createProtocol(transport: Transport, target: Target): StreamProtocol {
  return transport.startsWith('graphql') ? graphql(target, transport === 'graphql-post') : rest(target);
}

function rest({ url, id, kind }: Target): StreamProtocol {
  const path = `${url}/api/v0/executions/${kind}s/${encodeURIComponent(id)}/stream`;
  return {
    request: (after, query) => ({
      url: withQuery(path, query),
      headers: resume(after),
    }),
    read({ id: cursor = '', event: type = 'message', data }) {
      const parsed = type === 'llm_chunk' ? { content: data } : JSON.parse(data);
      return { is: 'event', id: cursor, event: seen(cursor, type, parsed) };
    },
  };
}

function graphql({ url, id, kind }: Target, isPost: boolean): StreamProtocol {
  const field = `${kind}Stream`;
  const query = `subscription($id: ID!, $after: Cursor) { ${field}(id: $id, after: $after) { type executionId data } }`;
  return {
    request(after, carried) {
      if (isPost) {
        const variables = after === undefined ? { id } : { id, after };
        return { url: withQuery(`${url}/graphql`, carried), headers: {}, body: { query, variables } };
      }
      const parameters = { query, variables: JSON.stringify({ id }), ...carried };
      return { url: withQuery(`${url}/graphql`, parameters), headers: resume(after) };
    },
    read({ id: cursor = '', event, data }) {
      if (event === 'complete') return { is: 'end' };
      const result = JSON.parse(data) as Result;
      if (result.errors) return { is: 'rejected', code: String(result.errors[0]?.extensions?.code) };
      const { type, executionId, data: payload } = result.data![field]!;
      return {
        is: 'event',
        id: cursor,
        event: { ...seen(cursor, type.toLowerCase(), payload), executionId },
      };
    },
  };
}

interface Result {
  readonly data?: Record<string, { type: string; executionId: string; data: Record<string, unknown> }>;
  readonly errors?: readonly { extensions?: { code?: string } }[];
}

function seen(cursor: string, type: string, data: Record<string, unknown>): Seen {
  const { seq, epoch = '' } = parseCursor(cursor);
  return { seq, epoch, type, data, at: Date.now() };
}

function resume(after: string | undefined): Record<string, string> {
  return after === undefined ? {} : { 'last-event-id': after };
}

function withQuery(url: string, query: Readonly<Record<string, string>>): string {
  const parameters = new URLSearchParams(query).toString();
  return parameters === '' ? url : `${url}?${parameters}`;
}
