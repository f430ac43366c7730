// Payloads of workflows that know nothing of us: shown only where a converter was configured, for they may be secret.
import type { temporal } from '@temporalio/proto';
import type { JsonValue } from '../../event/events.ts';
import { exceedsDepth, MAX_JSON_DEPTH } from '../../event/json-depth.ts';

export type Payload = temporal.api.common.v1.Payload.$Properties;
export interface Payloads {
  readonly payloads?: Payload[] | null;
}

/** Makes a value of a payload, to be shown to whoever may read the execution; undefined leaves it out. */
export type PayloadDecoder = (payload: Payload) => JsonValue | undefined | Promise<JsonValue | undefined>;

/** Decodes what is plain JSON, as the SDKs write it where no codec is set; leaves out everything else. */
export function decodePlainJson({ metadata, data }: Payload): JsonValue | undefined {
  const encoding = metadata?.encoding && Buffer.from(metadata.encoding).toString();
  if (encoding === 'binary/null') return null;
  if (encoding !== 'json/plain' || !data) return undefined;
  try {
    const value = JSON.parse(Buffer.from(data).toString()) as JsonValue;
    return exceedsDepth(value, MAX_JSON_DEPTH) ? undefined : value;
  } catch {
    return undefined;
  }
}

/** The first payload, decoded; undefined where there is none, no decoder, or one that fails at it. */
export async function decodeFirst(
  payloads: Payloads | null | undefined,
  decode: PayloadDecoder | undefined,
): Promise<JsonValue | undefined> {
  const [first] = payloads?.payloads ?? [];
  if (!first || !decode) return undefined;
  try {
    return await decode(first);
  } catch {
    return undefined;
  }
}
