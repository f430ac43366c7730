// What Prometheus is told: the process, and how much of what it takes on is used. No label names a caller or an
// execution.
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { EventStreams } from '../sse/event-streams.ts';
import type { ExecutionCounter } from '../stream/shared-encoding.ts';
import type { Tails } from '../tail/tails.ts';

export interface Measured {
  readonly streams: EventStreams;
  readonly tails: Tails;
  readonly counter: ExecutionCounter;
}

/** Makes the function that answers all metrics, in Prometheus' text format. */
export function createMetrics({ streams, tails, counter }: Measured): () => Promise<Response> {
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register });
  new Gauge({
    name: 'execstream_streams',
    help: 'Event streams that are open',
    registers,
    collect() {
      this.set(streams.size);
    },
  });
  new Gauge({
    name: 'execstream_executions_followed',
    help: 'Executions that have viewers here',
    registers,
    collect() {
      this.set(tails.size);
    },
  });
  counterOf('execstream_streams_opened_total', 'Event streams that were opened', () => streams.opened);
  counterOf(
    'execstream_stream_bytes_total',
    'Bytes of frames that were written to streams',
    () => streams.bytes,
  );
  counterOf(
    'execstream_graphql_executions_total',
    'Executions of GraphQL for events; they do not grow with the viewers',
    () => counter.executions,
  );

  /** A count that is kept elsewhere, by an addition where it happens. */
  function counterOf(name: string, help: string, now: () => number): void {
    let told = 0;
    new Counter({
      name,
      help,
      registers,
      collect() {
        const count = now();
        this.inc(count - told);
        told = count;
      },
    });
  }

  return async () =>
    new Response(await register.metrics(), { headers: { 'Content-Type': register.contentType } });
}
