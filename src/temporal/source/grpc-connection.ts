// The connection to Temporal. Temporal's packages are loaded, and it is opened, with the first call.
import type { Client, ConnectionLike } from '@temporalio/client';
import type { DataConverter, PayloadCodec } from '@temporalio/common';
import { createClosableRetries } from './closable-retries.ts';
import type { Codec } from './codec.ts';
import { clientOptionsOf, type TemporalAddress, type TemporalSettings } from './connection-settings.ts';

/** The part of a connection that is used. */
export type Connection = Pick<ConnectionLike, 'workflowService' | 'withDeadline' | 'withAbortSignal'>;

export interface Connected {
  readonly connection: Connection;
  clientOf(namespace: string): Client;
  /** Closes the connection, unless it is that of the application. */
  close(): Promise<void>;
}

/** @param remote a codec server */
export async function connect(settings: TemporalSettings, remote: Codec): Promise<Connected> {
  const { Client } = await import('@temporalio/client');
  const { connection, close } =
    'client' in settings
      ? { connection: settings.client.connection as ConnectionLike, close: async () => {} }
      : await open(settings);
  const { dataConverter } = clientOptionsOf(settings);
  const clients = new Map<string, Client>();
  const clientOf = (namespace: string): Client => {
    const client =
      clients.get(namespace) ??
      new Client({ connection, namespace, dataConverter: withRemoteCodec(dataConverter, namespace, remote) });
    clients.set(namespace, client);
    return client;
  };
  return { connection, clientOf, close };
}

async function open({ address, tls, apiKey, metadata }: TemporalAddress) {
  const { Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } = await import(
    '@temporalio/client'
  );
  const retries = createClosableRetries(defaultGrpcRetryOptions({ maxAttempts: 2 }));
  const connection = Connection.lazy({
    address,
    interceptors: [makeGrpcRetryInterceptor(retries.options)],
    ...(tls !== undefined && { tls }),
    ...(apiKey !== undefined && { apiKey }),
    ...(metadata && { metadata }),
  });
  const close = async () => {
    await retries.close();
    await connection.close().catch(() => {});
  };
  return { connection, close };
}

/** Results are decoded; the argument of our query is not encoded, which codecs let pass. */
function withRemoteCodec(
  dataConverter: DataConverter | undefined,
  namespace: string,
  codec: Codec,
): DataConverter {
  const remote: PayloadCodec = {
    encode: async (payloads) => payloads,
    decode: (payloads) => codec(namespace, payloads),
  };
  return { ...dataConverter, payloadCodecs: [...(dataConverter?.payloadCodecs ?? []), remote] };
}
