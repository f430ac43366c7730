// fetch-event-stream, or any other reader that ends with the connection: the events of an execution up to its terminal
// event, across connections.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerSentEventMessage } from 'fetch-event-stream';
import { stream } from 'fetch-event-stream';

/**
 * @param url the stream of an execution, with `data=json`: this reader removes blanks at the start of a plain text
 * @throws Response if the request is rejected permanently
 */
export async function* eventsOf(url: string, signal?: AbortSignal): AsyncGenerator<ServerSentEventMessage> {
  let cursor: string | undefined;
  for (;;) {
    try {
      const headers: Record<string, string> = cursor === undefined ? {} : { 'last-event-id': cursor };
      for await (const event of await stream(url, { headers, signal: signal ?? null })) {
        if (event.id !== undefined) cursor = `${event.id}`;
        if (event.event !== undefined) yield event;
        if (event.event === 'complete' || event.event === 'error') return;
      }
    } catch (error) {
      const isPermanent = error instanceof Response && error.status < 500 && error.status !== 429;
      if (isPermanent || signal?.aborted) throw error;
    }
    await sleep(500 + Math.random() * 500);
  }
}
