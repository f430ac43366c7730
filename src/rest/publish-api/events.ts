// Validates the events of a batch one by one and splits large ones; errors name the first invalid event.
import { z } from 'zod';
import { isExecstreamError } from '../../event/errors.ts';
import {
  CATALOGUE,
  type EventType,
  isTerminal,
  MAX_DATA_BYTES,
  type NewEvent,
  timestamp,
} from '../../event/events.ts';
import { splitPatch } from '../../event/json-diff.ts';
import { splitText } from '../../event/text.ts';
import { checkEventData } from '../../event/validation.ts';
import type { Execution } from '../../execution/store.ts';
import { MAX_BATCH_BYTES } from '../../log/log.ts';
import { bodyTooLarge, unprocessable } from '../request-body.ts';

/** The shape of a batch; the data of its events is validated separately. An empty batch is a heartbeat. */
export const BATCH = z.strictObject({
  events: z
    .array(
      z.strictObject({
        type: z.string(),
        data: z.record(z.string(), z.unknown()),
        ts: z.iso.datetime({ offset: true }).optional(),
      }),
    )
    .max(1_000),
});

export type SentEvents = z.infer<typeof BATCH>['events'];

export interface CheckedEvents {
  readonly events: NewEvent[];
  /** For each event, the index in the batch of the event that it was split from. */
  readonly indices: number[];
}

/**
 * Validates a batch for an execution. Text and patches above 64 KiB are split into several events.
 * @throws RejectedRequest 422 or 413, naming the event by its index.
 */
export function checkEvents(sent: SentEvents, row: Pick<Execution, 'kind' | 'mode'>): CheckedEvents {
  const checked = sent.map((event, i) => {
    const path = `events.${i}`;
    const type = event.type as EventType;
    if (isTerminal(type) && i < sent.length - 1) {
      throw unprocessable(`${path}: ${type} must be the last event of the batch`);
    }
    const problem = problemWithType(type, row);
    if (problem) throw unprocessable(`${path}: ${problem}`);
    const ts = checkTime(event.ts, `${path}.ts`);
    return split({ type, ts, data: checkData(type, event.data, path) } as NewEvent, path);
  });
  return { events: checked.flat(), indices: checked.flatMap((parts, i) => parts.map(() => i)) };
}

/** Timestamps outside of this range come from a wrong clock and would mislead viewers. */
const MAX_PAST_MS = 7 * 24 * 60 * 60 * 1_000;
const MAX_FUTURE_MS = 60 * 60 * 1_000;

function checkTime(ts: string | undefined, path: string): string {
  const now = Date.now();
  if (ts === undefined) return timestamp(new Date(now));
  const at = Date.parse(ts);
  if (at >= now - MAX_PAST_MS && at <= now + MAX_FUTURE_MS) return timestamp(new Date(at));
  throw unprocessable(
    `${path}: expected a time from 7 days ago to 1 hour ahead, got "${ts}" (the server's clock: ${timestamp()})`,
  );
}

function problemWithType(
  type: EventType,
  { kind, mode }: Pick<Execution, 'kind' | 'mode'>,
): string | undefined {
  if (!Object.hasOwn(CATALOGUE, type)) return `unknown type "${String(type).slice(0, 40)}"`;
  if (!CATALOGUE[type].includes(kind)) return `${type} does not occur in streams of kind ${kind}`;
  if (type === 'reset' || type === 'gap') return `${type} can only be written by the server`;
  if (type === 'llm_chunk' && mode !== 'TEXT') return `llm_chunk requires mode TEXT, got ${mode}`;
  if (type === 'structured_delta' && mode !== 'STRUCTURED') {
    return `structured_delta requires mode STRUCTURED, got ${mode}`;
  }
  return undefined;
}

function checkData(type: EventType, data: Record<string, unknown>, path: string): unknown {
  // Both are optional here; the final values come from the row.
  const complete = isTerminal(type)
    ? { ...(type === 'complete' && { status: 'SUCCESS' }), durationMs: 0, ...data }
    : data;
  try {
    return checkEventData(type, complete);
  } catch (error) {
    if (isExecstreamError(error)) throw unprocessable(`${path}: ${error.message}`);
    throw error;
  }
}

/** Limit of a patch's size after it was split. */
const MAX_SPLIT_BYTES = 4 * MAX_BATCH_BYTES;

function split(event: NewEvent, path: string): NewEvent[] {
  const { ts } = event;
  const bytes = Buffer.byteLength(JSON.stringify(event.data));
  if (bytes <= MAX_DATA_BYTES) return [event];
  if (event.type === 'llm_chunk') {
    return splitText(event.data.content).map((content) => ({ type: 'llm_chunk', ts, data: { content } }));
  }
  if (event.type === 'structured_delta') {
    try {
      return splitPatch(event.data.patch, MAX_SPLIT_BYTES).map((patch) => ({
        type: 'structured_delta',
        ts,
        data: { patch },
      }));
    } catch (error) {
      if (isExecstreamError(error)) throw bodyTooLarge(`${path}: ${error.message}`);
      throw error;
    }
  }
  // A result that is too large for an event is stored in the row only.
  if (event.type === 'complete') return [event];
  throw bodyTooLarge(`${path}: ${event.type} has ${bytes} bytes of data; the limit is ${MAX_DATA_BYTES}`);
}
