// A stream that needs no execution: the single connection mode of GraphQL over SSE. A reservation opens it, and each
// operation that is posted is delivered on it as a message, so that the time of delivery can be measured.
//
// A reservation exists in one process. With several processes at one address, a request is repeated until it reaches that
// process.
import type { Target } from './finding.ts';
import { openRaw, type RawOptions, type RawResponse } from './raw-request.ts';

/** Requests with a reservation that another process may have. */
const MAX_TRIES = 40;

const PATH = '/graphql/stream';
const TOKEN_HEADER = 'x-graphql-event-stream-token';

export interface LiveStream extends Disposable {
  /** The response; undefined if its head did not arrive in time. */
  readonly response: RawResponse | undefined;
  /**
   * Causes a message.
   * @returns how long it took to arrive after the server had accepted it, in ms; undefined if it did not arrive in time
   */
  deliver(timeoutMs: number): Promise<number | undefined>;
}

/** A request that was rejected. */
export class RejectedProbe extends Error {
  readonly status: number;
  constructor(status: number, body: string) {
    super(`status ${status} ${body.slice(0, 200)}`.trim());
    this.status = status;
  }
}

/**
 * Opens a stream.
 * @param encodings the accepted codings of the body
 * @throws RejectedProbe
 */
export async function openLiveStream(
  { url, token }: Pick<Target, 'url' | 'token'>,
  timeoutMs: number,
  encodings?: string,
): Promise<LiveStream> {
  const target = `${url}${PATH}`;
  const authorization = token ? { authorization: `Bearer ${token}` } : undefined;
  const send = (options: RawOptions, extra: Record<string, string> = {}) =>
    openRaw(target, { ...options, headers: { ...authorization, ...extra } });
  const reservation = await reserve(send);
  const accepted = encodings === undefined ? undefined : { 'accept-encoding': encodings };
  const headers = { accept: 'text/event-stream', [TOKEN_HEADER]: reservation, ...accepted };
  let response = await send({ timeoutMs }, headers);
  for (let i = 1; response?.status === 404 && i < MAX_TRIES; i += 1) {
    response[Symbol.dispose]();
    response = await send({ timeoutMs }, headers);
  }
  if (response && response.status !== 200) throw new RejectedProbe(response.status, await response.body());
  let count = 0;
  return {
    response,
    async deliver(limitMs) {
      const operationId = `doctor-${++count}`;
      const isDelivered = () => response?.text.includes(`"${operationId}"`) === true;
      const body = { query: '{ __typename }', extensions: { operationId } };
      let acceptedAt = performance.now();
      for (let i = 0; i < MAX_TRIES; i += 1) {
        using posted = await send(
          { method: 'POST', body },
          { accept: 'application/json', [TOKEN_HEADER]: reservation },
        );
        acceptedAt = performance.now();
        if (posted?.status !== 404) break;
      }
      await response?.until(isDelivered, limitMs);
      return isDelivered() ? performance.now() - acceptedAt : undefined;
    },
    [Symbol.dispose]: () => response?.[Symbol.dispose](),
  };
}

async function reserve(send: (options: RawOptions) => Promise<RawResponse | undefined>): Promise<string> {
  using response = await send({ method: 'PUT' });
  if (!response) throw new RejectedProbe(0, 'no response to PUT /graphql/stream');
  const body = await response.body();
  if (response.status !== 201) throw new RejectedProbe(response.status, body);
  return body.trim();
}
