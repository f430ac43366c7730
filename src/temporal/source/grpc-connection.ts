// The connection to Temporal. Temporal's packages are loaded, and it is opened, with the first call.
import type { Client, Connection } from '@temporalio/client';
import type { DataConverter, PayloadCodec } from '@temporalio/common';
import { type ClosableRetries, createClosableRetries } from './closable-retries.ts';
import type { RemoteCodec } from './remote-codec.ts';
import type { TemporalSettings } from './temporal-client.ts';

export interface Connected {
  readonly connection: Connection;
  clientOf(namespace: string): Client;
  readonly retries: ClosableRetries;
}

export async function connect(settings: TemporalSettings, codec: RemoteCodec): Promise<Connected> {
  const { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } = await import(
    '@temporalio/client'
  );
  const { address, tls, apiKey, metadata, dataConverter } = settings;
  const retries = createClosableRetries(defaultGrpcRetryOptions({ maxAttempts: 2 }));
  const connection = Connection.lazy({
    address,
    interceptors: [makeGrpcRetryInterceptor(retries.options)],
    ...(tls !== undefined && { tls }),
    ...(apiKey !== undefined && { apiKey }),
    ...(metadata && { metadata }),
  });
  const clients = new Map<string, Client>();
  const clientOf = (namespace: string): Client => {
    const client =
      clients.get(namespace) ??
      new Client({ connection, namespace, dataConverter: withRemoteCodec(dataConverter, namespace, codec) });
    clients.set(namespace, client);
    return client;
  };
  return { connection, clientOf, retries };
}

/** Results are decoded; the argument of our query is not encoded, which codecs let pass. */
function withRemoteCodec(
  dataConverter: DataConverter | undefined,
  namespace: string,
  codec: RemoteCodec,
): DataConverter {
  const remote: PayloadCodec = {
    encode: async (payloads) => payloads,
    decode: (payloads) => codec(namespace, payloads),
  };
  return { ...dataConverter, payloadCodecs: [...(dataConverter?.payloadCodecs ?? []), remote] };
}
