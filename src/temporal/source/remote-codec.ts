// Decodes payloads with a codec server over HTTP, because only the application has the keys: POST <endpoint>/decode with
// the payloads as proto3 JSON (https://docs.temporal.io/codec-server).
import type { ErrorLogger } from '../../telemetry/logger.ts';
import { OutageLog } from '../../telemetry/outage-log.ts';
import type { Payload } from '../shared/payloads.ts';
import type { Codec } from './codec.ts';
import { TemporalError } from './errors.ts';

export interface CodecSettings {
  /** The URL to which `/decode` is appended. `{namespace}` in it is replaced with the namespace. */
  readonly endpoint: string;
  /** Sent with every request, such as `authorization`. */
  readonly headers: Readonly<Record<string, string>>;
}

/** How long a request may take, in ms. */
const TIMEOUT_MS = 5_000;

/** The encodings of Temporal's own converters. A codec wraps them in another one. */
const PLAIN_ENCODINGS: readonly string[] = [
  'binary/null',
  'binary/plain',
  'json/plain',
  'json/protobuf',
  'binary/protobuf',
];

export function createRemoteCodec({ endpoint, headers }: CodecSettings, logger: ErrorLogger): Codec {
  const outage = new OutageLog('codec server', logger);

  return async (namespace, payloads) => {
    const encoded = payloads.filter((payload) => !isPlain(payload));
    if (encoded.length === 0) return [...payloads];
    let decoded: Payload[];
    try {
      decoded = await requestDecode(
        urlOf(endpoint, namespace),
        { ...headers, 'x-namespace': namespace },
        encoded,
      );
    } catch (error) {
      outage.failed(error);
      throw new TemporalError('undecodable', 'the codec server did not decode the payloads', {
        cause: error,
      });
    }
    outage.succeeded();
    let next = 0;
    return payloads.map((payload) => (isPlain(payload) ? payload : decoded[next++]!));
  };
}

/** Whether Temporal's own converters read the payload. */
function isPlain({ metadata }: Payload): boolean {
  const encoding = metadata?.encoding && Buffer.from(metadata.encoding).toString();
  return encoding === undefined || encoding === null || PLAIN_ENCODINGS.includes(encoding);
}

function urlOf(endpoint: string, namespace: string): string {
  return `${endpoint.replaceAll('{namespace}', encodeURIComponent(namespace)).replace(/\/+$/, '')}/decode`;
}

async function requestDecode(
  url: string,
  headers: Readonly<Record<string, string>>,
  payloads: readonly Payload[],
): Promise<Payload[]> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ payloads: payloads.map(toJson) }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`POST ${url}: status ${response.status}`);
  }
  const body = (await response.json()) as { readonly payloads?: unknown } | null;
  const decoded = body?.payloads;
  if (!Array.isArray(decoded) || decoded.length !== payloads.length) {
    throw new Error(`POST ${url}: expected a list of ${payloads.length} payloads`);
  }
  return decoded.map(fromJson);
}

interface PayloadJson {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly data?: string;
}

function toJson({ metadata, data }: Payload): PayloadJson {
  const fields = Object.entries(metadata ?? {}).map(([name, bytes]) => [name, toBase64(bytes)]);
  return { metadata: Object.fromEntries(fields), data: toBase64(data ?? new Uint8Array()) };
}

/** Fields that are no strings become empty, which no converter reads. */
function fromJson(json: PayloadJson | null): Payload {
  const fields = Object.entries(json?.metadata ?? {}).map(([name, text]) => [
    name,
    Buffer.from(`${text}`, 'base64'),
  ]);
  return { metadata: Object.fromEntries(fields), data: Buffer.from(`${json?.data ?? ''}`, 'base64') };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
