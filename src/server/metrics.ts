// Metrics for Prometheus: of the process, and of streams. No label contains a caller or an execution.
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { EventStreams } from '../sse/event-streams.ts';
import type { ExecutionCounter } from '../stream/shared-encoding.ts';
import type { Tails } from '../tail/tails.ts';
import type { RequestMetrics } from '../temporal/source/request-metrics.ts';

export interface Measured {
  readonly streams: EventStreams;
  readonly tails: Tails;
  readonly counter: ExecutionCounter;
  /** The requests to Temporal, if there is one. */
  readonly temporal?: RequestMetrics | undefined;
}

let ofProcess: Registry | undefined;

/** The metrics of the process. All servers in it share them, because what observes the process never stops. */
function processMetrics(): Registry {
  if (!ofProcess) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}

/** Creates the function that responds with all metrics in Prometheus' text format. */
export function createMetrics({ streams, tails, counter, temporal }: Measured): () => Promise<Response> {
  const register = new Registry();
  const registers = [register];
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
  if (temporal) registerTemporal(temporal, registers);

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

  const all = Registry.merge([processMetrics(), register]);
  return async () => new Response(await all.metrics(), { headers: { 'Content-Type': all.contentType } });
}

function registerTemporal({ counts, queues }: RequestMetrics, registers: Registry[]): void {
  new Counter({
    name: 'execstream_temporal_requests_total',
    help: 'Requests to Temporal',
    labelNames: ['kind', 'outcome'],
    registers,
    collect() {
      this.reset();
      for (const { kind, outcome, count } of counts()) this.inc({ kind, outcome }, count);
    },
  });
  new Counter({
    name: 'execstream_temporal_request_wait_seconds_total',
    help: 'Time that requests to Temporal have waited for their turn',
    labelNames: ['priority'],
    registers,
    collect() {
      this.reset();
      for (const { priority, waitedMs } of queues()) this.inc({ priority }, waitedMs / 1_000);
    },
  });
  new Gauge({
    name: 'execstream_temporal_requests_waiting',
    help: 'Requests to Temporal that wait for their turn',
    labelNames: ['priority'],
    registers,
    collect() {
      for (const { priority, waiting } of queues()) this.set({ priority }, waiting);
    },
  });
}
