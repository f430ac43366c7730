// A Yoga plugin: single connection mode of GraphQL over SSE, each reservation bound to the caller that made it, and
// let go of where nobody connects to it.
//
// A reservation's token begins with a keyed hash of its caller, so that nobody else can use it, and nothing need be
// kept to tell. Tokens that were not made here are unknown.
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { useGraphQLSSE } from '@graphql-yoga/plugin-graphql-sse';
import type { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { ExecstreamError } from '../event/error.ts';
import type { Caller } from '../execution/permission.ts';
import type { EventStreams } from '../sse/event-streams.ts';
import { relayedResponse } from '../sse/response.ts';
import { isInternal, maskError, statusOf, withoutHttp, withProtocolCode } from './errors.ts';

/** graphql-sse's own words for them (PROTOCOL.md, "Single connection mode"). */
const HEADER = 'x-graphql-event-stream-token';
const PARAMETER = 'token';

/** Within this time somebody must connect to a reservation. */
const CONNECT_MS = 30_000;
/** Reservations that wait for that. */
const MOST_WAITING = 10_000;

type OnRequest = NonNullable<Plugin['onRequest']>;
type Payload = Parameters<OnRequest>[0];

export function useReservations(streams: EventStreams): Plugin<object, { caller: Caller }> {
  const secret = randomBytes(32);
  const callers = new WeakMap<Request, Caller>();
  /** Those that nobody has connected to, and what lets go of them. */
  const waiting = new Map<string, NodeJS.Timeout>();
  const ownerOf = ({ id, tenant }: Caller) =>
    createHmac('sha256', secret)
      .update(JSON.stringify([id, tenant]))
      .digest('base64url');

  const sse = useGraphQLSSE({
    authenticate: ({ raw, headers, url }) => {
      const owner = ownerOf(callers.get(raw)!);
      const token = headers.get(HEADER) ?? new URL(url, 'http://localhost').searchParams.get(PARAMETER);
      if (!token) return `${owner}.${randomUUID()}`;
      if (isSame(token.split('.')[0]!, owner)) return token;
      return [null, { status: 404, statusText: 'Not Found' }];
    },
  }) as Plugin;

  async function answer(payload: Payload): Promise<void> {
    const { request } = payload;
    if (request.method === 'PUT' && waiting.size >= MOST_WAITING) {
      throw new ExecstreamError('SOURCE_UNAVAILABLE', 'too many reservations wait for their connection');
    }
    await sse.onRequest?.({
      ...payload,
      endResponse: (response) => payload.endResponse(response && seeTo(response, payload)),
    });
  }

  function seeTo(response: Response, payload: Payload): Response {
    const { request } = payload;
    if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
      const token = tokenOf(request);
      clearTimeout(waiting.get(token));
      waiting.delete(token);
      return relayedResponse(streams, response, request.signal);
    }
    if (request.method === 'PUT' && response.status === 201) void expect(response.clone(), payload);
    return response;
  }

  /** A reservation that nobody connects to is connected to here, and left again: graphql-sse then forgets it. */
  async function expect(reserved: Response, payload: Payload): Promise<void> {
    const token = await reserved.text();
    const abandon = async () => {
      waiting.delete(token);
      const headers = { accept: 'text/event-stream', [HEADER]: token };
      const request = new Request(payload.request.url, { headers });
      callers.set(request, callers.get(payload.request)!);
      const leave = (response: Response | undefined) => void response?.body?.cancel();
      await sse.onRequest?.({ ...payload, request, endResponse: leave });
    };
    waiting.set(token, setTimeout(() => void abandon(), CONNECT_MS).unref());
  }

  return {
    onPluginInit: ({ addPlugin }) => {
      addPlugin({
        onRequest: ({ request, serverContext }) => {
          callers.set(request, (serverContext as unknown as { caller: Caller }).caller);
        },
      });
      addPlugin({ ...sse, onRequest: guarded(answer) });
    },
  };
}

/** The plugin parses unguarded: what it throws would be answered with a stack. */
function guarded(answer: (payload: Payload) => Promise<void>): OnRequest {
  return async (payload) => {
    try {
      await answer(payload);
    } catch (error) {
      const shown = withProtocolCode(maskError(error) as GraphQLError);
      const status = statusOf({ errors: [shown] }) ?? (isInternal(error) ? 500 : 400);
      payload.endResponse(Response.json({ errors: [withoutHttp(shown)] }, { status }));
    }
  };
}

function tokenOf(request: Request): string {
  return request.headers.get(HEADER) ?? new URL(request.url).searchParams.get(PARAMETER) ?? '';
}

function isSame(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
