// Failures whose message is a payload (`encodeCommonAttributes` of the SDKs' failure converters): the message is decoded
// before anything reads it. Temporal shows "Encoded failure" in its place.
import type { Failure } from '../shared/failure.ts';
import { decodePlainJson, type Payload } from '../shared/payloads.ts';

/** Where a history event or another failure has failures. */
const CONTAINERS: readonly string[] = ['failure', 'lastFailure', 'continuedFailure', 'cause', 'outcome'];
/** An event, its attributes, an outcome and 20 causes. */
const MAX_DEPTH = 24;

/**
 * Replaces the messages of encoded failures in place. One that cannot be read keeps Temporal's message.
 * @param items history events, or objects that have a failure
 * @param decode the codec
 * @throws as `decode`: with another message at another time, a log would contradict its history.
 */
export async function decodeFailures(
  items: readonly object[],
  decode: (payloads: readonly Payload[]) => Promise<readonly Payload[]>,
): Promise<void> {
  const failures = items.flatMap((item) => [...encodedFailures(item)]);
  if (failures.length === 0) return;
  const payloads = await decode(failures.map(({ encodedAttributes }) => encodedAttributes!));
  failures.forEach((failure, i) => {
    const attributes = decodePlainJson(payloads[i]!) as { readonly message?: unknown } | null | undefined;
    if (typeof attributes?.message === 'string') failure.message = attributes.message;
  });
}

function* encodedFailures(value: object, depth = 0): Generator<Failure> {
  if (depth > MAX_DEPTH) return;
  if ('encodedAttributes' in value && value.encodedAttributes) yield value as Failure;
  for (const [name, field] of Object.entries(value)) {
    const isContainer = CONTAINERS.includes(name) || (depth === 0 && name.endsWith('Attributes'));
    if (isContainer && typeof field === 'object' && field !== null) yield* encodedFailures(field, depth + 1);
  }
}
