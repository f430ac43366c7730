// Decodes payloads for display: the codec first, then what the application or a setting allows to be shown.
import { createRedactor } from '../../redact/redaction.ts';
import { decodePlainJson, type PayloadDecoder } from '../shared/payloads.ts';
import type { TemporalClient } from './temporal-client.ts';

/** A decoder that gets the payloads of a namespace as they were before a codec encoded them. */
export function withCodec(
  { decode }: Pick<TemporalClient, 'decode'>,
  namespace: string,
  decoder: PayloadDecoder,
): PayloadDecoder {
  return async (payload) => decoder((await decode(namespace, [payload]))[0]!);
}

/** Shows plain JSON, with secrets redacted. */
export function createRedactingDecoder(): PayloadDecoder {
  const createRedaction = createRedactor();
  return (payload) => {
    const value = decodePlainJson(payload);
    return value === undefined ? undefined : createRedaction().json(value);
  };
}
