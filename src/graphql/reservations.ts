// A Yoga plugin: single connection mode of GraphQL over SSE, each reservation bound to the caller that made it, and
// let go of where nobody connects to it. Each caller has a limited number of them.
//
// graphql-sse keeps every result until it is read. So results are handed to it only as fast as the connection takes
// them, and a reservation has a limited number of operations.
//
// A reservation's token begins with a keyed hash of its caller, so that nobody else can use it, and nothing need be
// kept to tell. Tokens that were not made here are unknown.
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { useGraphQLSSE } from '@graphql-yoga/plugin-graphql-sse';
import type { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { Counts } from '../async/counts.ts';
import { Semaphore } from '../async/semaphore.ts';
import { ExecstreamError, isExecstreamError } from '../event/errors.ts';
import { ANONYMOUS, type Caller, callerKey } from '../execution/permission.ts';
import type { Quotas } from '../execution/quotas.ts';
import { retryAfterOf } from '../schema/operation.ts';
import type { EventStreams } from '../sse/event-streams.ts';
import { relayedResponse } from '../sse/responses.ts';
import { isInternal, maskError, statusOf, toGraphQLError, withoutHttp, withProtocolCode } from './errors.ts';

/** Names that graphql-sse's own protocol defines for single connection mode. */
const HEADER = 'x-graphql-event-stream-token';
const PARAMETER = 'token';
const PATH = '/graphql/stream';
const RESULT = Buffer.from('event: next\n');

/** Within this time somebody must connect to a reservation. */
const CONNECT_MS = 30_000;
/** Reservations that wait for that. */
const MOST_WAITING = 10_000;
/** Results of a connection's operations that may wait to be written. */
const WINDOW = 4;
/** Operations of one reservation at the same time. */
const MOST_OPERATIONS = 100;
/** Reservations of one caller, waiting or connected. */
export const DEFAULT_RESERVATIONS_PER_CALLER = 100;

type OnRequest = NonNullable<Plugin['onRequest']>;
type Payload = Parameters<OnRequest>[0];

/** A connection that is open or reserved. */
interface Connection {
  readonly window: Semaphore;
  operations: number;
}

export interface ReservationOptions {
  readonly streams: EventStreams;
  readonly quotas: Quotas;
  readonly perCaller?: number | undefined;
}

export function useReservations({
  streams,
  quotas,
  perCaller = DEFAULT_RESERVATIONS_PER_CALLER,
}: ReservationOptions): Plugin<object, { caller: Caller }> {
  const secret = randomBytes(32);
  const callers = new WeakMap<Request, Caller>();
  const tokens = new WeakMap<Request, string>();
  /** Those that nobody has connected to, and what lets go of them. */
  const waiting = new Map<string, NodeJS.Timeout>();
  /** Reservations, waiting or connected, by caller. */
  const open = new Counts();
  /** By token. */
  const connections = new Map<string, Connection>();
  const ownerOf = (caller: Caller) =>
    createHmac('sha256', secret).update(callerKey(caller)).digest('base64url');

  const sse = useGraphQLSSE({
    authenticate: ({ raw }) => {
      const owner = ownerOf(callers.get(raw)!);
      const token = tokenOf(raw) || `${owner}.${randomUUID()}`;
      tokens.set(raw, token);
      if (isSame(token.split('.')[0]!, owner)) return token;
      return [null, { status: 404, statusText: 'Not Found' }];
    },
    onNext: (_, { raw }) => connections.get(tokens.get(raw)!)?.window.acquire(),
    onComplete: (_, { raw }) => operationEnded(tokens.get(raw)!),
  }) as Plugin;

  function operationEnded(token: string): void {
    const connection = connections.get(token);
    if (connection) connection.operations -= 1;
  }

  function disconnected(token: string): void {
    connections.get(token)?.window.close();
    connections.delete(token);
  }

  async function answer(payload: Payload): Promise<void> {
    const { request, url } = payload;
    if (!url.pathname.endsWith(PATH)) return;
    const undo = count(payload);
    let status: number | undefined;
    try {
      await sse.onRequest?.({
        ...payload,
        endResponse: (response) => {
          status = response?.status;
          payload.endResponse(response && seeTo(response, payload));
        },
      });
    } finally {
      const isMade = status === (request.method === 'PUT' ? 201 : 202);
      if (!isMade) undo();
    }
  }

  /** Counts what a request would make, before it is made. */
  function count(payload: Payload): () => void {
    const { request } = payload;
    if (request.method === 'PUT') {
      reserve(callers.get(request)!);
      return () => release(payload);
    }
    const token = tokenOf(request);
    const connection = request.method === 'POST' ? connections.get(token) : undefined;
    if (!connection) return () => {};
    if (connection.operations >= MOST_OPERATIONS) {
      const detail = `too many operations: the limit is ${MOST_OPERATIONS} for one reservation`;
      throw new ExecstreamError('TOO_MANY_REQUESTS', detail);
    }
    connection.operations += 1;
    return () => operationEnded(token);
  }

  /** Counts a reservation before it is made. */
  function reserve(caller: Caller): void {
    quotas.charge(caller, 'reservations');
    if (waiting.size >= MOST_WAITING) {
      throw new ExecstreamError(
        'CAPACITY',
        `server is at its limit of reservations without a connection (${MOST_WAITING})`,
      );
    }
    if (caller !== ANONYMOUS && open.of(callerKey(caller)) >= perCaller) {
      const detail = `too many open reservations: the limit is ${perCaller} for one caller`;
      throw new ExecstreamError('TOO_MANY_REQUESTS', detail);
    }
    open.increment(callerKey(caller));
  }

  function release({ request }: Payload): void {
    open.decrement(callerKey(callers.get(request)!));
  }

  function seeTo(response: Response, payload: Payload): Response {
    const { request } = payload;
    if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
      const token = tokens.get(request)!;
      const isReserved = waiting.has(token);
      clearTimeout(waiting.get(token));
      waiting.delete(token);
      const { window } = connect(token);
      return relayedResponse(streams, response, request.signal, {
        onTaken: (message) => isResult(message) && window.release(),
        onClosed: () => {
          disconnected(token);
          if (isReserved) release(payload);
        },
      });
    }
    if (request.method === 'PUT' && response.status === 201) expect(tokens.get(request)!, payload);
    return response;
  }

  function connect(token: string): Connection {
    const connection = connections.get(token) ?? { window: new Semaphore(WINDOW), operations: 0 };
    connections.set(token, connection);
    return connection;
  }

  /** A reservation that nobody connects to is connected to here, and left again: graphql-sse then forgets it. */
  function expect(token: string, payload: Payload): void {
    connect(token);
    const abandon = async () => {
      waiting.delete(token);
      release(payload);
      const headers = { accept: 'text/event-stream', [HEADER]: token };
      const request = new Request(payload.request.url, { headers });
      callers.set(request, callers.get(payload.request)!);
      const leave = (response: Response | undefined) => void response?.body?.cancel();
      await sse.onRequest?.({ ...payload, request, endResponse: leave });
      disconnected(token);
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
      const cause = isExecstreamError(error) ? toGraphQLError(error) : error;
      const shown = withProtocolCode(maskError(cause) as GraphQLError);
      const status = statusOf({ errors: [shown] }) ?? (isInternal(cause) ? 500 : 400);
      const seconds = retryAfterOf(shown);
      const headers: HeadersInit = seconds === undefined ? [] : [['Retry-After', `${seconds}`]];
      payload.endResponse(Response.json({ errors: [withoutHttp(shown)] }, { status, headers }));
    }
  };
}

/** Whether a message is one that `onNext` was called for; heartbeats and the ends of operations are not. */
function isResult(message: Uint8Array): boolean {
  return RESULT.equals(message.subarray(0, RESULT.length));
}

function tokenOf(request: Request): string {
  return request.headers.get(HEADER) ?? new URL(request.url).searchParams.get(PARAMETER) ?? '';
}

function isSame(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
