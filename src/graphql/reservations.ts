// A Yoga plugin: the single connection mode of GraphQL over SSE. Each reservation belongs to the caller that created it,
// and expires if no connection uses it. Each caller has a limited number of them.
//
// graphql-sse buffers every result until it is read. So results are passed to it only as fast as the connection takes
// them, and a reservation has a limited number of operations.
//
// A reservation's token starts with a keyed hash of its caller, so that no other caller can use it, and no state is needed
// to check that. Tokens that were not issued by this process are unknown.
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { Counts } from '../async/counts.ts';
import { Semaphore } from '../async/semaphore.ts';
import { ExecstreamError, isExecstreamError } from '../event/errors.ts';
import { singleValue } from '../event/query-parameters.ts';
import { ANONYMOUS, type Caller, callerKey } from '../execution/permission.ts';
import type { Quotas } from '../execution/quotas.ts';
import { retryAfterOf } from '../schema/operation.ts';
import type { EventStreams } from '../sse/event-streams.ts';
import { relayedResponse } from '../sse/responses.ts';
import { isInternal, maskError, statusOf, toGraphQLError, withoutHttp, withProtocolCode } from './errors.ts';
import { createSingleConnection } from './single-connection.ts';

/** Names that graphql-sse's protocol defines. */
const HEADER = 'x-graphql-event-stream-token';
const PARAMETER = 'token';
/** The parameters that graphql-sse reads, which would use the first of several values. */
const PARAMETERS = [PARAMETER, 'operationId', 'query', 'operationName', 'variables', 'extensions'];
const PATH = '/graphql/stream';
const RESULT = Buffer.from('event: next\n');

/** Time after which a reservation without a connection expires. */
const CONNECT_MS = 30_000;
/** Reservations without a connection. */
const MAX_WAITING = 10_000;
/** Results of a connection that may wait to be written. */
const WINDOW = 4;
/** Concurrent operations of one reservation. */
const MAX_OPERATIONS = 100;
/** Reservations of one caller, with or without a connection. */
export const DEFAULT_RESERVATIONS_PER_CALLER = 100;

type OnRequest = NonNullable<Plugin['onRequest']>;
type Payload = Parameters<OnRequest>[0];

/** A connection, open or reserved. */
interface Connection {
  readonly window: Semaphore;
  operations: number;
}

export interface ReservationOptions {
  readonly streams: EventStreams;
  readonly quotas: Quotas;
  /** @default 100 */
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
  /** The timers of reservations without a connection, by token. */
  const waiting = new Map<string, NodeJS.Timeout>();
  /** Reservations, with or without a connection, by caller. */
  const open = new Counts();
  /** By token. */
  const connections = new Map<string, Connection>();
  const ownerOf = (caller: Caller) =>
    createHmac('sha256', secret).update(callerKey(caller)).digest('base64url');

  const sse = createSingleConnection({
    authenticate: (request) => {
      const owner = ownerOf(callers.get(request)!);
      const token = tokenOf(request) || `${owner}.${randomUUID()}`;
      tokens.set(request, token);
      return isSame(token.split('.')[0]!, owner) ? token : undefined;
    },
    onNext: (request) => connections.get(tokens.get(request)!)?.window.acquire(),
    onComplete: (request) => operationEnded(tokens.get(request)!),
  });

  function operationEnded(token: string): void {
    const connection = connections.get(token);
    if (connection) connection.operations -= 1;
  }

  function disconnected(token: string): void {
    connections.get(token)?.window.close();
    connections.delete(token);
  }

  async function handle(payload: Payload): Promise<void> {
    const { request, url } = payload;
    if (!url.pathname.endsWith(PATH)) return;
    for (const name of PARAMETERS) singleValue(url.searchParams, name);
    const undo = count(payload);
    let status: number | undefined;
    try {
      const response = await sse.handle(request, payload.serverContext as object);
      status = response.status;
      payload.endResponse(track(response, payload));
    } finally {
      const isCreated = status === (request.method === 'PUT' ? 201 : 202);
      if (!isCreated) undo();
    }
  }

  /** Counts the reservation or operation that a request would create, before it is created. */
  function count(payload: Payload): () => void {
    const { request } = payload;
    if (request.method === 'PUT') {
      reserve(callers.get(request)!);
      return () => release(payload);
    }
    const token = tokenOf(request);
    const connection = request.method === 'POST' ? connections.get(token) : undefined;
    if (!connection) return () => {};
    if (connection.operations >= MAX_OPERATIONS) {
      const detail = `too many operations: the limit is ${MAX_OPERATIONS} for one reservation`;
      throw new ExecstreamError('TOO_MANY_REQUESTS', detail);
    }
    connection.operations += 1;
    return () => operationEnded(token);
  }

  /** Counts a reservation before it is created. */
  function reserve(caller: Caller): void {
    quotas.charge(caller, 'reservations');
    if (waiting.size >= MAX_WAITING) {
      throw new ExecstreamError('CAPACITY', 'too many reservations without a connection');
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

  function track(response: Response, payload: Payload): Response {
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
    if (request.method === 'PUT' && response.status === 201) expire(tokens.get(request)!, payload);
    return response;
  }

  function connect(token: string): Connection {
    const connection = connections.get(token) ?? { window: new Semaphore(WINDOW), operations: 0 };
    connections.set(token, connection);
    return connection;
  }

  /** Expires a reservation that is not used: opening and closing its stream makes graphql-sse release it. */
  function expire(token: string, payload: Payload): void {
    connect(token);
    const releaseUnused = async () => {
      waiting.delete(token);
      release(payload);
      const headers = { accept: 'text/event-stream', [HEADER]: token };
      const request = new Request(payload.request.url, { headers });
      callers.set(request, callers.get(payload.request)!);
      const response = await sse.handle(request, payload.serverContext as object);
      await response.body?.cancel();
      disconnected(token);
    };
    waiting.set(token, setTimeout(() => void releaseUnused(), CONNECT_MS).unref());
  }

  return {
    onPluginInit: ({ addPlugin }) => {
      addPlugin({
        onRequest: ({ request, serverContext }) => {
          callers.set(request, (serverContext as unknown as { caller: Caller }).caller);
        },
      });
      addPlugin({ onYogaInit: sse.onYogaInit, onRequest: guarded(handle) });
    },
  };
}

/** graphql-sse does not catch errors while it parses: the response would contain a stack. */
function guarded(handle: (payload: Payload) => Promise<void>): OnRequest {
  return async (payload) => {
    try {
      await handle(payload);
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

/** Whether a message is a result, for which `onNext` was called, and not a heartbeat or the end of an operation. */
function isResult(message: Uint8Array): boolean {
  return RESULT.equals(message.subarray(0, RESULT.length));
}

function tokenOf(request: Request): string {
  return request.headers.get(HEADER) ?? singleValue(new URL(request.url).searchParams, PARAMETER) ?? '';
}

function isSame(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
