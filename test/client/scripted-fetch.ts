// A `fetch` with a script of responses, for tests of the client without a network.
//
//   const server = scriptedFetch(stream(next(1), next(2)).breaks(), stream(next(3), COMPLETE).ends());
//   const events = client.watch('agent', 'a1');           // with { fetch: server.fetch }
//   expect(server.requests[1]!.headers.get('last-event-id')).toBe('2-k3f9ab01zz');
import type { ExecutionEvent, NewEvent } from '../../src/event/events.ts';

export const EPOCH = 'k3f9ab01zz';
const TS = '2026-01-02T03:04:05.678Z';
const EXECUTION_ID = 'a1';

export interface ScriptedRequest {
  readonly url: URL;
  readonly method: string;
  readonly body: string | undefined;
  readonly headers: Headers;
  readonly signal: AbortSignal;
}

/** A response, an error of the network, or `hang` for a server that never responds. */
export type Reply = Response | Error | 'hang' | ((request: ScriptedRequest) => Response | Error);

export interface ScriptedServer {
  readonly fetch: typeof fetch;
  readonly requests: ScriptedRequest[];
}

/** Sends one reply per request; the last one again and again. */
export function scriptedFetch(...replies: Reply[]): ScriptedServer {
  const requests: ScriptedRequest[] = [];
  const send = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(String(input), 'http://server');
    const signal = init.signal ?? new AbortController().signal;
    const { method = 'GET', body } = init;
    const headers = new Headers(init.headers);
    const request = { url, method, body: body === undefined ? body : String(body), headers, signal };
    const reply = replies[Math.min(requests.length, replies.length - 1)]!;
    requests.push(request);
    signal.throwIfAborted();
    if (reply === 'hang') {
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    }
    const response = typeof reply === 'function' ? reply(request) : reply;
    if (response instanceof Error) throw response;
    return bodies.get(response)?.(signal) ?? response;
  };
  return { fetch: send as typeof fetch, requests };
}

/** Bodies that end with the request's signal, as those of a real `fetch`. */
const bodies = new WeakMap<Response, (signal: AbortSignal) => Response>();

type Part = string | Uint8Array;

/** A response with an event stream that consists of these parts. */
export function stream(...parts: Part[]) {
  const respond = (finish: (controller: ReadableStreamDefaultController) => void): Response => {
    const init = { headers: { 'content-type': 'text/event-stream; charset=utf-8' } };
    const response = new Response(null, init);
    bodies.set(response, (signal) => {
      const left = parts.map((part) => (typeof part === 'string' ? new TextEncoder().encode(part) : part));
      const body = new ReadableStream({
        start: (controller) => {
          signal.addEventListener('abort', () => controller.error(signal.reason));
        },
        // One part per read.
        pull: (controller) => {
          const part = left.shift();
          if (part) controller.enqueue(part);
          else finish(controller);
        },
      });
      return new Response(body, init);
    });
    return response;
  };
  return {
    /** The body is complete. */
    ends: () => respond((controller) => controller.close()),
    /** The connection breaks. */
    breaks: () => respond((controller) => controller.error(new TypeError('terminated'))),
    /** Nothing follows. */
    stays: () => respond(() => {}),
  };
}

/** The data of an event as the server sends it. */
export function eventOf(
  seq: number,
  content: Pick<NewEvent, 'type' | 'data'> = { type: 'llm_chunk', data: { content: `${seq} ` } },
  epoch = EPOCH,
): ExecutionEvent {
  const envelope = { id: `${seq}-${epoch}`, seq, ts: TS, executionId: EXECUTION_ID, attempt: 1 };
  return { ...envelope, ...content } as ExecutionEvent;
}

const END: ExecutionEvent['data'] = { status: 'SUCCESS', result: 'done', durationMs: 7 };
export const endOf = (seq: number) => eventOf(seq, { type: 'complete', data: END } as NewEvent);

/** The message of an event. */
export function messageOf(event: ExecutionEvent): string {
  const node = { ...event, type: event.type.toUpperCase() };
  return `id: ${event.id}\nevent: next\ndata: ${JSON.stringify({ data: { agentStream: node } })}\n\n`;
}

/** The message of a chunk. */
export const next = (seq: number): string => messageOf(eventOf(seq));
export const OPENING = 'retry: 1\n:\n\n';
export const HEARTBEAT = ':\n\n';
export const COMPLETE = `id: 9-${EPOCH}\nevent: complete\ndata: \n\n`;

/** The message of a rejection. */
export const errorMessage = (code: string): string =>
  `event: next\ndata: ${JSON.stringify({ errors: [{ message: 'no', extensions: { code } }] })}\n\n${COMPLETE.slice(COMPLETE.indexOf('event'))}`;

export const problem = (status: number, code: string, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify({ status, code, detail: 'no' }), { status, headers });

/** A response may be sent once only, so this creates one per request. */
export const each =
  (create: () => Response): Reply =>
  () =>
    create();
