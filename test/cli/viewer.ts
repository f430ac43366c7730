// A viewer that reconnects with its cursor until the end of the execution, cheap enough for hundreds in one process. It
// checks that a connection breaks between two messages only.
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { restUrl } from '../server/reader.ts';

export class Viewer {
  /** The seqs of the events, in the order of their arrival. */
  readonly seqs: number[] = [];
  /** Connections that ended in the middle of a message. */
  cut = 0;
  connections = 0;
  isComplete = false;
  #lastEventId: string | undefined;
  readonly #url: string;

  constructor(server: string, id: string) {
    this.#url = restUrl(server, id);
  }

  /** Resolves at the end of the execution. Rejects when the signal aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!this.isComplete) {
      await this.#connect().catch(() => {});
      if (!this.isComplete) await delay(200 + Math.random() * 600, undefined, { signal });
    }
  }

  #connect(): Promise<void> {
    const cursor = this.#lastEventId === undefined ? {} : { 'last-event-id': this.#lastEventId };
    return new Promise((resolve, reject) => {
      get(this.#url, { headers: { accept: 'text/event-stream', ...cursor }, agent: false }, (response) => {
        if (response.statusCode === 200) void this.#read(response).then(resolve);
        else reject(new Error(`status ${response.resume().statusCode}`));
      }).on('error', reject);
    });
  }

  async #read(response: IncomingMessage): Promise<void> {
    this.connections += 1;
    let rest = '';
    const close = new Promise((resolve) => response.once('close', resolve));
    response
      .setEncoding('utf8')
      .on('data', (text: string) => {
        const messages = (rest + text).split('\n\n');
        rest = messages.pop()!;
        for (const message of messages) this.#note(message);
      })
      // A rotated stream is an unfinished response.
      .on('error', () => {});
    await close;
    if (rest !== '') this.cut += 1;
  }

  #note(message: string): void {
    const id = /^id: (.+)$/m.exec(message)?.[1];
    if (id === undefined) return;
    this.#lastEventId = id;
    const type = /^event: (.+)$/m.exec(message)?.[1];
    if (type === undefined) return;
    this.seqs.push(Number(id.split('-')[0]));
    if (type === 'complete' || type === 'error') this.isComplete = true;
  }
}
