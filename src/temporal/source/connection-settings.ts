// How Temporal is reached: at an address, or with a client that the application has.
//
// The types are ours: the declarations of Temporal's SDK do not compile without @types/ms (decision 0061).
import type { PayloadCodec } from './codec.ts';
import type { CodecSettings } from './remote-codec.ts';
import type { RequestLimits } from './request-limiter.ts';

interface CommonSettings {
  /**
   * A codec server, which decodes the results of our query, the messages of failures, and inputs and results if they are
   * shown. The codecs of the data converter then decode its result.
   * @default none
   */
  readonly codec?: CodecSettings;
  /**
   * Limits of what this process requests.
   * @default DEFAULT_REQUEST_LIMITS
   */
  readonly requestLimits?: Partial<RequestLimits>;
}

/** TLS, as `Connection` of `@temporalio/client` has it. */
interface TlsSettings {
  serverNameOverride?: string;
  serverRootCACertificate?: Uint8Array;
  clientCertPair?: { crt: Uint8Array; key: Uint8Array };
}

/** A `DataConverter` of `@temporalio/common`. */
interface DataConverter {
  payloadConverterPath?: string;
  failureConverterPath?: string;
  payloadCodecs?: PayloadCodec[];
}

/** A Temporal to connect to. The connection is closed with the server. */
export interface TemporalAddress extends CommonSettings {
  /** `host:port`. */
  readonly address: string;
  /** The namespace of workflows for which `resolve` names none. */
  readonly namespace: string;
  readonly tls?: TlsSettings | boolean | null;
  readonly apiKey?: string;
  /** Sent with every call. */
  readonly metadata?: Record<string, string>;
  /**
   * Decodes the results of our query. Its codecs also decode what a codec server would.
   * @default Temporal's default converter
   */
  readonly dataConverter?: DataConverter;
}

/** A Temporal that the application is connected to. */
export interface TemporalConnection extends CommonSettings {
  /**
   * A `Client` of `@temporalio/client`. Its connection, namespace and data converter are used, its interceptors are not.
   * The connection is not closed with the server.
   */
  readonly client: ApplicationClient;
}

export type TemporalSettings = TemporalAddress | TemporalConnection;

/** The part of a `Client` that is used. It does not depend on the version of `@temporalio/client`. */
export interface ApplicationClient {
  readonly connection: {
    readonly workflowService: object;
    withDeadline<R>(deadline: number | Date, fn: () => Promise<R>): Promise<R>;
    withAbortSignal<R>(signal: AbortSignal, fn: () => Promise<R>): Promise<R>;
  };
  readonly options: { readonly namespace: string; readonly dataConverter?: DataConverter };
}

/** The namespace and the data converter, whichever way Temporal is reached. */
export function clientOptionsOf(settings: TemporalSettings): ApplicationClient['options'] {
  return 'client' in settings ? settings.client.options : settings;
}
