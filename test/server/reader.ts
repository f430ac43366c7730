// A client that records events and reconnects with its cursor, like an EventSource.
import { graphqlPath } from '../support/app.ts';
import { openSse, type SseEnd, type SseFrame } from '../support/sse.ts';

export interface Reading {
  readonly id: string;
  readonly seq: number;
  readonly type: string;
  readonly content: string | undefined;
}

export function restUrl(url: string, id: string): string {
  return `${url}/api/v0/executions/agents/${id}/stream`;
}

export function graphqlUrl(url: string, id: string): string {
  const query = 'subscription($id: ID!) { agentStream(id: $id) { type ... on LlmChunkEvent { content } } }';
  return url + graphqlPath(query, { id });
}

export class Reader {
  readonly seen: Reading[] = [];
  /** The text so far, built as PROTOCOL.md specifies: emptied by a `reset`. */
  text = '';
  lastEventId: string | undefined;
  isComplete = false;
  readonly #url: () => string;

  constructor(url: () => string, lastEventId?: string) {
    this.#url = url;
    this.lastEventId = lastEventId;
  }

  /** Reads a stream until `isEnough` or its end. Returns how it ended, or the status if it is not 200. */
  async read(isEnough: (seen: readonly Reading[]) => boolean): Promise<SseEnd | number> {
    const { lastEventId } = this;
    using stream = await openSse(this.#url(), lastEventId === undefined ? {} : { lastEventId });
    if (stream.status !== 200) return stream.status;
    const now: Reading[] = [];
    let count = 0;
    const take = () => {
      for (; count < stream.frames.length && !isEnough(now); count += 1)
        this.#note(stream.frames[count]!, now);
      return isEnough(now);
    };
    await stream.until(() => take() || stream.end !== undefined, 'enough events or the end', 20_000);
    return stream.end ?? 'destroyed';
  }

  /** Reads until the execution has ended, and reconnects whenever a connection ends. */
  async readToEnd(): Promise<readonly Reading[]> {
    for (let attempts = 0; !this.isComplete; attempts += 1) {
      if (attempts > 100) throw new Error('reconnected 100 times without reaching the end');
      const status = await this.read(() => this.isComplete).catch(() => 0);
      if (status === 204) return this.seen;
      if (status !== 'clean') await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return this.seen;
  }

  #note({ id, event, data }: SseFrame, now: Reading[]): void {
    if (event === 'next') {
      const { data: result, errors } = JSON.parse(data);
      if (errors) throw new Error(data);
      const { type, content } = result.agentStream;
      this.#add(id!, type.toLowerCase(), content, now);
    } else if (event === 'complete' && data === '') {
      this.isComplete = true;
    } else {
      this.#add(id!, event!, event === 'llm_chunk' ? data : undefined, now);
    }
  }

  #add(id: string, type: string, content: string | undefined, now: Reading[]): void {
    const reading = { id, seq: Number(id.split('-')[0]), type, content };
    now.push(reading);
    this.seen.push(reading);
    this.lastEventId = id;
    if (type === 'reset') this.text = '';
    this.text += content ?? '';
    if (type === 'complete' || type === 'error') this.isComplete = true;
  }
}
