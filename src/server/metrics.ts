// Metrics for Prometheus: of the process, and of streams. No label contains a caller or an execution.
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { EventStreams } from '../sse/event-streams.ts';
import type { ExecutionCounter } from '../stream/shared-encoding.ts';
import type { Tails } from '../tail/tails.ts';

export interface Measured {
  readonly streams: EventStreams;
  readonly tails: Tails;
  readonly counter: ExecutionCounter;
}

/** Creates the function that responds with all metrics in Prometheus' text format. */
export function createMetrics({ streams, tails, counter }: Measured): () => Promise<Response> {
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register });
  new Gauge({
    name: 'execstream_streams',
    help: 'Open event streams',
    registers,
    collect() {
      this.set(streams.size);
    },
  });
  new Gauge({
    name: 'execstream_executions_followed',
    help: 'Executions with viewers on this server',
    registers,
    collect() {
      this.set(tails.size);
    },
  });
  counterOf('execstream_streams_opened_total', 'Opened event streams', () => streams.opened);
  counterOf('execstream_stream_bytes_total', 'Bytes of frames written to streams', () => streams.bytes);
  counterOf(
    'execstream_graphql_executions_total',
    'GraphQL executions for events (independent of the number of viewers)',
    () => counter.executions,
  );

  /** Registers a counter whose value is maintained elsewhere. */
  function counterOf(name: string, help: string, now: () => number): void {
    let reported = 0;
    new Counter({
      name,
      help,
      registers,
      collect() {
        const count = now();
        this.inc(count - reported);
        reported = count;
      },
    });
  }

  return async () =>
    new Response(await register.metrics(), { headers: { 'Content-Type': register.contentType } });
}
