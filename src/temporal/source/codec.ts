// Decodes payloads that the application has encoded, for example encrypted.
import type { Payload } from '../shared/payloads.ts';
import { TemporalError } from './errors.ts';

/** A `PayloadCodec` of `@temporalio/common`. */
export interface PayloadCodec {
  encode(payloads: Payload[]): Promise<Payload[]>;
  decode(payloads: Payload[]): Promise<Payload[]>;
}

/**
 * Decodes payloads of a namespace; those that no codec has encoded stay as they are.
 * @throws TemporalError `undecodable` if they cannot be decoded
 */
export type Codec = (namespace: string, payloads: readonly Payload[]) => Promise<Payload[]>;

/** Payloads that no codec has encoded. */
export const NO_CODEC: Codec = async (_namespace, payloads) => [...payloads];

/**
 * Adds the codecs of a data converter. Payloads are decoded in the opposite order of the codecs, as Temporal's SDK does.
 * @param last the codec that encodes after all of them
 */
export function addCodecs(last: Codec, codecs: readonly PayloadCodec[] = []): Codec {
  if (codecs.length === 0) return last;
  return async (namespace, payloads) => {
    let decoded = await last(namespace, payloads);
    try {
      for (const codec of codecs.toReversed()) decoded = await codec.decode(decoded);
    } catch (error) {
      throw new TemporalError('undecodable', 'the data converter did not decode the payloads', {
        cause: error,
      });
    }
    if (decoded.length === payloads.length) return decoded;
    throw new TemporalError(
      'undecodable',
      `data converter: expected ${payloads.length} decoded payloads, got ${decoded.length}`,
    );
  };
}
