// Temporal for suites: the shared server, and separate servers that can be killed.
//
//   describeTemporal('the query', () => {
//     const temporal = useTemporal();          // connections to the shared server for the tests of this describe
//     test('…', async () => { await temporal.client.workflow.start(…) … });
//
//   describeOwnTemporal('an outage', () => {
//     test('…', async () => {
//       await using server = await startTemporal({ persistent: true });
//       … server.address … await server.kill(); await server.restart(); …
//
// The shared server is never emptied: use unique task queues and workflow ids. Without `npm test`,
// the first suite of a file that needs the shared server starts one, if the Temporal CLI is installed.
import { Client, Connection } from '@temporalio/client';
import {
  DefaultLogger,
  type LogEntry,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
} from '@temporalio/worker';
import { afterAll, beforeAll, describe } from 'vitest';
import { type TemporalOptions, TemporalServer } from '../../scripts/temporal.ts';
import { findPart, TEMPORAL } from '../../scripts/test-services.ts';

const binary = findPart(TEMPORAL);
const configuredAddress = process.env.TEST_TEMPORAL_ADDRESS || process.env.TEMPORAL_ADDRESS;

/** `describe` for suites on the shared server; skipped without a server and without a CLI to start one. */
export const describeTemporal = describe.skipIf(!configuredAddress && binary === undefined);

/** `describe` for suites that start their own Temporal; skipped if the CLI is not installed. */
export const describeOwnTemporal = describe.skipIf(binary === undefined);

/** Connections to one server. */
export interface TemporalConnections {
  readonly address: string;
  readonly client: Client;
  /** For workers. */
  readonly native: NativeConnection;
}

/** Connects to the shared server for the tests of the enclosing describe. */
export function useTemporal(): TemporalConnections {
  let server: TemporalServer | undefined;
  let connections: Connected | undefined;
  beforeAll(async () => {
    if (!configuredAddress) server = await startTemporal();
    connections = await connectTo(configuredAddress || server!.address);
  });
  afterAll(async () => {
    await connections?.close();
    await server?.stop();
  });
  const requireConnections = (): Connected => {
    if (!connections) throw new Error('connections exist only in tests and hooks');
    return connections;
  };
  return {
    get address() {
      return requireConnections().address;
    },
    get client() {
      return requireConnections().client;
    },
    get native() {
      return requireConnections().native;
    },
  };
}

export interface Connected extends TemporalConnections {
  close(): Promise<void>;
}

let isQuiet = false;

/**
 * Makes workers log errors only. A process has one runtime, whose default logs the start and stop of every worker.
 */
export function quietRuntime(): void {
  if (isQuiet) return;
  isQuiet = true;
  const filter = makeTelemetryFilterString({ core: 'ERROR' });
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter } } });
}

/** Collects what the workers of this file log, from warnings on. Call it before anything connects. */
export function captureWorkerLogs(): readonly LogEntry[] {
  const entries: LogEntry[] = [];
  isQuiet = true;
  const filter = makeTelemetryFilterString({ core: 'WARN' });
  const logger = new DefaultLogger('WARN', (entry) => void entries.push(entry));
  Runtime.install({ logger, telemetryOptions: { logging: { filter, forward: {} } } });
  return entries;
}

/** Connects to a server. */
export async function connectTo(address: string): Promise<Connected> {
  quietRuntime();
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  return {
    address,
    client: new Client({ connection }),
    native,
    async close() {
      await connection.close();
      await native.close();
    },
  };
}

/**
 * Starts a Temporal dev server for one test, which the test must stop with `await using` or with `stop()` in a
 * hook.
 * @param options `persistent` and additional arguments of the CLI; see TemporalOptions.
 */
export function startTemporal(options: Omit<TemporalOptions, 'binary'> = {}): Promise<TemporalServer> {
  if (binary === undefined) throw new Error('Temporal CLI not found; call this inside describeOwnTemporal');
  return TemporalServer.start({ binary, ...options });
}

export type { TemporalServer };
