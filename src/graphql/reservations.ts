// A Yoga plugin: the single connection mode of GraphQL over SSE. Each reservation belongs to the caller that created it,
// and expires if no connection uses it (reservation-table.ts). Results are passed to graphql-sse only as fast as the
// connection takes them.
//
// A reservation's token starts with a keyed hash of its caller, so that no other caller can use it, and no state is needed
// to check that. Tokens that were not issued by this process are unknown.
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { isExecstreamError } from '../event/errors.ts';
import { singleValue } from '../event/query-parameters.ts';
import { type Caller, callerKey } from '../execution/permission.ts';
import type { Quotas } from '../execution/quotas.ts';
import { retryAfterOf } from '../schema/operation.ts';
import type { EventStreams } from '../sse/event-streams.ts';
import { relayedResponse } from '../sse/responses.ts';
import { isInternal, maskError, statusOf, toGraphQLError, withoutHttp, withProtocolCode } from './errors.ts';
import { ReservationTable } from './reservation-table.ts';
import { createSingleConnection } from './single-connection.ts';
import { SSE_TYPE } from './subscription-encoder.ts';

/** Names that graphql-sse's protocol defines. */
const HEADER = 'x-graphql-event-stream-token';
const PARAMETER = 'token';
/** The parameters that graphql-sse reads, which would use the first of several values. */
const PARAMETERS = [PARAMETER, 'operationId', 'query', 'operationName', 'variables', 'extensions'];
const PATH = '/graphql/stream';
const RESULT = Buffer.from('event: next\n');

/** Reservations of one caller, with or without a connection. */
export const DEFAULT_RESERVATIONS_PER_CALLER = 100;

type OnRequest = NonNullable<Plugin['onRequest']>;
type Payload = Parameters<OnRequest>[0];

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
  const table = new ReservationTable(perCaller);
  const ownerOf = (caller: Caller) =>
    createHmac('sha256', secret).update(callerKey(caller)).digest('base64url');

  const sse = createSingleConnection({
    authenticate: (request) => {
      const owner = ownerOf(callers.get(request)!);
      const token = tokenOf(request) || `${owner}.${randomUUID()}`;
      tokens.set(request, token);
      return isSame(token.split('.')[0]!, owner) ? token : undefined;
    },
    onNext: (request) => table.room(tokens.get(request)!),
    onComplete: (request) => table.endOperation(tokens.get(request)!),
  });

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
  function count({ request }: Payload): () => void {
    if (request.method === 'PUT') {
      const caller = callers.get(request)!;
      quotas.charge(caller, 'reservations');
      table.reserve(caller);
      return () => table.release(caller);
    }
    const token = tokenOf(request);
    const isCounted = request.method === 'POST' && table.beginOperation(token);
    return () => isCounted && table.endOperation(token);
  }

  function track(response: Response, payload: Payload): Response {
    const { request } = payload;
    const token = tokens.get(request)!;
    const caller = callers.get(request)!;
    if (request.method === 'PUT' && response.status === 201) {
      table.awaitConnection(token, () => {
        table.release(caller);
        void releaseUnused(token, payload);
      });
    }
    if (!response.headers.get('content-type')?.startsWith(SSE_TYPE)) return response;
    const isReserved = table.connect(token);
    return relayedResponse(streams, response, request.signal, {
      onTaken: (message) => isResult(message) && table.resultWritten(token),
      onClosed: () => {
        table.disconnect(token);
        if (isReserved) table.release(caller);
      },
    });
  }

  /** Opening and closing the stream of a reservation makes graphql-sse release it. */
  async function releaseUnused(token: string, { request: created, serverContext }: Payload): Promise<void> {
    const headers = { accept: SSE_TYPE, [HEADER]: token };
    const request = new Request(created.url, { headers });
    callers.set(request, callers.get(created)!);
    const response = await sse.handle(request, serverContext as object);
    await response.body?.cancel();
    table.disconnect(token);
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
