// Payloads: the inputs and results of workflows, as Temporal's API returns them.
import type { temporal } from '@temporalio/proto';
import type { JsonValue } from '../../event/events.ts';
import { exceedsDepth, MAX_JSON_DEPTH } from '../../event/json-depth.ts';
import { parseExactly } from '../../event/json-integers.ts';

export type Payload = temporal.api.common.v1.Payload.$Properties;
export interface Payloads {
  readonly payloads?: Payload[] | null;
}

/**
 * Decodes a payload for display to everyone who may read the execution, because it may be secret.
 * @returns undefined to omit it.
 */
export type PayloadDecoder = (payload: Payload) => JsonValue | undefined | Promise<JsonValue | undefined>;

/** Decodes plain JSON, as the SDKs write it without a codec. Omits everything else. */
export function decodePlainJson({ metadata, data }: Payload): JsonValue | undefined {
  const encoding = metadata?.encoding && toText(metadata.encoding);
  if (encoding === 'binary/null') return null;
  if (encoding !== 'json/plain' || !data) return undefined;
  try {
    const value = parseExactly(toText(data));
    return exceedsDepth(value, MAX_JSON_DEPTH) ? undefined : value;
  } catch {
    return undefined;
  }
}

/** The first payload, decoded; undefined without a payload or decoder, or if the decoder fails. */
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

/**
 * The arguments of a call: its only argument, or a list of several. One that the decoder leaves out is null in the list.
 * @returns undefined without arguments or decoder, or if all of them are left out.
 */
export async function decodeArguments(
  payloads: Payloads | null | undefined,
  decode: PayloadDecoder | undefined,
): Promise<JsonValue | undefined> {
  const all = payloads?.payloads ?? [];
  if (all.length < 2) return decodeFirst(payloads, decode);
  const values = await Promise.all(all.map((payload) => decodeFirst({ payloads: [payload] }, decode)));
  return values.some((value) => value !== undefined) ? values.map((value) => value ?? null) : undefined;
}

function toText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
