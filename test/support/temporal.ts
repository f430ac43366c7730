// Temporal for suites: the server that all share, and servers of their own to kill.
//
//   describeTemporal('the query', () => {
//     const temporal = useTemporal();          // connections to the shared server, made and closed with the describe
//     test('…', async () => { await temporal.client.workflow.start(…) … });
//
//   describeOwnTemporal('an outage', () => {
//     test('…', async () => {
//       await using server = await startTemporal({ persistent: true });
//       … server.address … await server.kill(); await server.restart(); …
//
// The shared server is never emptied: use task queues and workflow ids that no other suite has. Without `npm test`,
// the first suite of a file that needs the shared server starts one, where a Temporal CLI is found.
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, makeTelemetryFilterString, NativeConnection, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe } from 'vitest';
import { type TemporalOptions, TemporalServer } from '../../scripts/temporal.ts';
import { findPart, TEMPORAL } from '../../scripts/test-services.ts';

const binary = findPart(TEMPORAL);
const given = process.env.TEST_TEMPORAL_ADDRESS || process.env.TEMPORAL_ADDRESS;

/** `describe` for suites on the shared server; skipped where there is neither a server nor a CLI to start one. */
export const describeTemporal = describe.skipIf(!given && binary === undefined);

/** `describe` for suites that start a Temporal of their own; skipped where no CLI is found. */
export const describeOwnTemporal = describe.skipIf(binary === undefined);

/** Connections to one server. */
export interface TemporalConnections {
  readonly address: string;
  readonly client: Client;
  /** For workers. */
  readonly native: NativeConnection;
}

/** Connects to the shared server for the tests of the describe that this is called in. */
export function useTemporal(): TemporalConnections {
  let server: TemporalServer | undefined;
  let connections: Connected | undefined;
  beforeAll(async () => {
    if (!given) server = await startTemporal();
    connections = await connectTo(given || server!.address);
  });
  afterAll(async () => {
    await connections?.close();
    await server?.stop();
  });
  const made = (): Connected => {
    if (!connections) throw new Error('the connections are there in tests and hooks only');
    return connections;
  };
  return {
    get address() {
      return made().address;
    },
    get client() {
      return made().client;
    },
    get native() {
      return made().native;
    },
  };
}

export interface Connected extends TemporalConnections {
  close(): Promise<void>;
}

let isQuiet = false;

/** Makes workers say errors only. One process has one runtime, and its default prints every worker's life. */
export function quietRuntime(): void {
  if (isQuiet) return;
  isQuiet = true;
  const filter = makeTelemetryFilterString({ core: 'ERROR' });
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter } } });
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
 * Starts a Temporal dev server of the test's own, which the test must stop: `await using`, or `stop()` in a hook.
 * @param options `persistent` and more arguments of the CLI; see TemporalOptions.
 */
export function startTemporal(options: Omit<TemporalOptions, 'binary'> = {}): Promise<TemporalServer> {
  if (binary === undefined)
    throw new Error('no Temporal CLI was found: this belongs inside describeOwnTemporal');
  return TemporalServer.start({ binary, ...options });
}

export type { TemporalServer };
