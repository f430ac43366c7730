// One server as the generator sees it: its feed, its executions, and its current viewers.
import { cpuUs } from '../proc.ts';
import { Crowd, type Watched } from './crowd.ts';
import { createFeed, type Feed, type FeedSpec } from './feeds.ts';
import { Latencies } from './latencies.ts';
import { Load } from './load.ts';
import { stamp } from './wire.ts';

/** The request of a viewer. `{id}` is replaced by the execution's id, `{cursor}` by the cursor to resume from. */
export interface RequestSpec {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A server as the generator needs it. */
export interface TargetSpec {
  readonly port: number;
  readonly pids: readonly number[];
  readonly request: RequestSpec;
}

export interface CrowdSpec {
  readonly viewers: number;
  /** Viewers are distributed over this number of executions. */
  readonly executions: number;
  /** Whether viewers replay from the first event. */
  readonly fromStart?: boolean;
}

export type Pace =
  | { readonly inFlight: number; readonly forMs: number; readonly events?: number }
  | { readonly perSecond: number; readonly forMs: number };

/** The result of one measured period. */
export interface Measured {
  readonly seconds: number;
  readonly published: number;
  readonly frames: number;
  readonly framesOfReaders: number;
  readonly bytes: number;
  readonly lost: number;
  readonly repeated: number;
  readonly broken: number;
  readonly cpuUs: number;
  /** CPU time of the busiest process. */
  readonly busiestUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Gives frames of about 200 bytes with the fields that viewers select. */
const CONTENT_LENGTH = 64;

export class Turns {
  readonly #server: string;
  readonly #feed: Feed;
  readonly #ids: string[] = [];
  readonly #executions: Watched[] = [];
  readonly #latencies = new Latencies();
  #crowd: Crowd | undefined;
  #load: Load | undefined;

  /** @param server a unique name; executions are named after it, because all servers share one Redis */
  constructor(server: string, feed: FeedSpec) {
    this.#server = server.replaceAll(/\W+/g, '-');
    this.#feed = createFeed(feed);
  }

  /** Opens the viewers of a turn. */
  async connect({ port, request }: TargetSpec, crowdSpec: CrowdSpec): Promise<void> {
    const { viewers, executions, fromStart = false } = crowdSpec;
    await this.begin(executions);
    const watched = this.#executions.slice(0, executions);
    for (const execution of watched) execution.readers = 0;
    const publish = (_: Watched, index: number, n: number) => this.#publish(index, n);
    const load = new Load({ executions: watched, publish });
    const onReceived = (execution: Watched, n: number) => load.received(execution, n);
    this.disconnect();
    this.#load = load;
    this.#crowd = new Crowd({ port, latencies: this.#latencies, onReceived });
    const opened = Array.from({ length: viewers }, (_, viewer) => {
      const index = viewer % executions;
      const execution = watched[index]!;
      const next = fromStart ? 1 : execution.published + 1;
      const cursor = this.#feed.cursor(this.#ids[index]!, next - 1);
      return { execution, next, request: requestText(request, port, this.#ids[index]!, cursor) };
    });
    await this.#crowd.open(opened);
  }

  /** Makes sure that this number of executions exists. */
  async begin(executions: number): Promise<void> {
    while (this.#ids.length < executions) {
      this.#ids.push(`${this.#server}-${String(this.#ids.length).padStart(5, '0')}`);
      this.#executions.push({ published: 0, readers: 0 });
    }
    await this.#feed.begin(this.#ids.slice(0, executions));
  }

  /** Publishes events to the first execution, which has no viewers. */
  async fill(events: number): Promise<void> {
    const execution = this.#executions[0]!;
    for (let remaining = events; remaining > 0; remaining--) {
      execution.published += 1;
      this.#publish(0, execution.published);
      if (remaining % 500 === 1) await this.#feed.flush();
    }
  }

  /** Publishes at a pace, and measures the viewers and the server. */
  async measure({ pids }: TargetSpec, pace: Pace): Promise<Measured> {
    const [crowd, load] = [this.#crowd!, this.#load!];
    this.#latencies.clear();
    const before = { ...crowd.tally, published: load.published };
    const usedBefore = pids.map((pid) => cpuUs([pid]));
    const from = performance.now();
    if ('inFlight' in pace) await load.keepInFlight(pace.inFlight, pace.forMs, pace.events);
    else await load.perSecond(pace.perSecond, pace.forMs);
    await this.#feed.flush();
    crowd.countMissing();
    const { tally } = crowd;
    const cpuTimes = pids.map((pid, i) => cpuUs([pid]) - usedBefore[i]!);
    return {
      seconds: (performance.now() - from) / 1_000,
      published: load.published - before.published,
      frames: tally.frames - before.frames,
      framesOfReaders: tally.framesOfReaders - before.framesOfReaders,
      bytes: tally.bytes - before.bytes,
      lost: tally.lost - before.lost,
      repeated: tally.repeated - before.repeated,
      broken: tally.broken - before.broken,
      cpuUs: cpuTimes.reduce((sum, us) => sum + us, 0),
      busiestUs: Math.max(...cpuTimes),
      p50Us: this.#latencies.percentile(0.5),
      p99Us: this.#latencies.percentile(0.99),
    };
  }

  stopReading(share: number): number {
    return this.#crowd!.stopReading(share);
  }

  /** Ends the turn. */
  disconnect(): void {
    this.#crowd?.close();
    this.#crowd = undefined;
    this.#load = undefined;
  }

  async close(): Promise<void> {
    this.disconnect();
    await this.#feed.close();
  }

  #publish(index: number, n: number): void {
    const text = stamp(n, Math.round(performance.now() * 1_000));
    this.#feed.publish(this.#ids[index]!, n, text.padEnd(CONTENT_LENGTH, '.'));
  }
}

function requestText(
  { method, path, headers, body = '' }: RequestSpec,
  port: number,
  id: string,
  cursor: string,
): string {
  const fill = (text: string) => text.replaceAll('{id}', id).replaceAll('{cursor}', cursor);
  const filledBody = fill(body);
  const all = {
    Host: `127.0.0.1:${port}`,
    Accept: 'text/event-stream',
    ...headers,
    ...(filledBody && {
      'Content-Type': 'application/json',
      'Content-Length': `${Buffer.byteLength(filledBody)}`,
    }),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${fill(value)}\r\n`);
  return `${method} ${fill(path)} HTTP/1.1\r\n${lines.join('')}\r\n${filledBody}`;
}
