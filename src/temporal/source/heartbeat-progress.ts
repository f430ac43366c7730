// The details of heartbeats, as progress for viewers.
//
// Details are payloads: activities store in them what they need to resume, such as cursors and ids of records. So they are
// shown under the same setting as inputs and results (decision 0042).
import type { JsonValue } from '../../event/events.ts';
import { utf8Bytes } from '../../event/text.ts';
import type { Payload, PayloadDecoder } from '../shared/payloads.ts';
import type { Progress } from './in-flight-events.ts';
import type { PendingTask } from './temporal-client.ts';

/** Bytes of JSON. A log keeps 32 MiB, in which a task may report its progress a few thousand times. */
const MAX_PROGRESS_BYTES = 2 * 1024;

/** Details that are not decoded, because they are too large to be shown: bytes of the payloads, and their number. */
const MAX_ENCODED_BYTES = 64 * 1024;
const MAX_DETAILS = 20;

/** Decodes payloads with the codec, if there is one. */
type Decode = (payloads: readonly Payload[]) => Promise<readonly Payload[]>;

/**
 * The progress that tasks have reported. All of it takes one request to the codec.
 * @returns by task, and undefined for a task without any that can be shown
 * @throws as `decode`
 */
export async function readProgress(
  tasks: readonly PendingTask[],
  decode: Decode,
  decodePayload: PayloadDecoder,
): Promise<ReadonlyMap<PendingTask, Progress | undefined>> {
  const readable = tasks.filter((task) => task.details.length > 0 && !isTooLarge(task));
  const payloads = readable.flatMap(({ details }) => details);
  const decoded = payloads.length > 0 ? await decode(payloads) : [];
  const values = await Promise.all(decoded.map((payload) => shownValue(payload, decodePayload)));
  let next = 0;
  const progress = new Map<PendingTask, Progress | undefined>();
  for (const task of tasks) if (isTooLarge(task)) progress.set(task, omitted(bytesOf(task)));
  for (const task of readable) {
    progress.set(task, progressOf(values.slice(next, next + task.details.length)));
    next += task.details.length;
  }
  return progress;
}

function isTooLarge(task: PendingTask): boolean {
  return task.details.length > MAX_DETAILS || bytesOf(task) > MAX_ENCODED_BYTES;
}

function bytesOf({ details }: PendingTask): number {
  return details.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
}

async function shownValue(payload: Payload, decodePayload: PayloadDecoder): Promise<JsonValue | undefined> {
  try {
    return await decodePayload(payload);
  } catch {
    return undefined;
  }
}

/** One value, or a list of several. SDKs send null for a heartbeat without details. */
function progressOf(values: readonly (JsonValue | undefined)[]): Progress | undefined {
  if (values.every((value) => value === undefined || value === null)) return undefined;
  const progress = values.length === 1 ? values[0]! : values.map((value) => value ?? null);
  const bytes = utf8Bytes(JSON.stringify(progress));
  return bytes > MAX_PROGRESS_BYTES ? omitted(bytes) : { progress };
}

function omitted(progressBytes: number): Progress {
  return { progressOmitted: true, progressBytes };
}
