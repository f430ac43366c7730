// The events of a batch, checked one by one and cut to size; the first that is wrong is named.
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
import { tooLarge, unprocessable } from '../request-body.ts';

/** What a batch looks like, before its events are looked at. An empty one is a sign of life. */
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
  /** Of each event, the index of the one that was sent. */
  readonly indices: number[];
}

/**
 * Checks a batch for an execution. Text and patches above 64 KiB are split into several events.
 * @throws Refusal 422 or 413, naming the event by its index.
 */
export function checkEvents(sent: SentEvents, row: Pick<Execution, 'kind' | 'mode'>): CheckedEvents {
  const checked = sent.map((event, i) => {
    const where = `events.${i}`;
    const type = event.type as EventType;
    if (isTerminal(type) && i < sent.length - 1) {
      throw unprocessable(`${where}: ${type} ends the execution, and nothing may follow it`);
    }
    const refusal = refusalOf(type, row);
    if (refusal) throw unprocessable(`${where}: ${refusal}`);
    const ts = checkTime(event.ts, `${where}.ts`);
    return split({ type, ts, data: checkData(type, event.data, where) } as NewEvent, where);
  });
  return { events: checked.flat(), indices: checked.flatMap((parts, i) => parts.map(() => i)) };
}

/** A clock that is wrong by more than this is a fault, and its times would mislead whoever reads the stream. */
const MAX_PAST_MS = 7 * 24 * 60 * 60 * 1_000;
const MAX_FUTURE_MS = 60 * 60 * 1_000;

function checkTime(ts: string | undefined, where: string): string {
  const now = Date.now();
  if (ts === undefined) return timestamp(new Date(now));
  const at = Date.parse(ts);
  if (at >= now - MAX_PAST_MS && at <= now + MAX_FUTURE_MS) return timestamp(new Date(at));
  throw unprocessable(
    `${where}: expected a time from 7 days ago to 1 hour ahead, got "${ts}" (the server's clock: ${timestamp()})`,
  );
}

function refusalOf(type: EventType, { kind, mode }: Pick<Execution, 'kind' | 'mode'>): string | undefined {
  if (!Object.hasOwn(CATALOGUE, type)) return `unknown type "${String(type).slice(0, 40)}"`;
  if (!CATALOGUE[type].includes(kind)) return `${type} does not occur in the stream of kind ${kind}`;
  if (type === 'reset' || type === 'gap') return `${type} is written by the log or the server alone`;
  if (type === 'llm_chunk' && mode !== 'TEXT')
    return `llm_chunk needs mode TEXT; this execution's is ${mode}`;
  if (type === 'structured_delta' && mode !== 'STRUCTURED') {
    return `structured_delta needs mode STRUCTURED; this execution's is ${mode}`;
  }
  return undefined;
}

function checkData(type: EventType, data: Record<string, unknown>, where: string): unknown {
  // How long it took is the row's to say.
  const whole = isTerminal(type)
    ? { ...(type === 'complete' && { status: 'SUCCESS' }), durationMs: 0, ...data }
    : data;
  try {
    return checkEventData(type, whole);
  } catch (error) {
    if (isExecstreamError(error)) throw unprocessable(`${where}: ${error.message}`);
    throw error;
  }
}

/** What the patch of one event may grow to where it is split. */
const MAX_SPLIT_BYTES = 4 * MAX_BATCH_BYTES;

function split(event: NewEvent, where: string): NewEvent[] {
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
      if (isExecstreamError(error)) throw tooLarge(`${where}: ${error.message}`);
      throw error;
    }
  }
  // A result too large for an event is kept by the row.
  if (event.type === 'complete') return [event];
  throw tooLarge(`${where}: ${event.type} has ${bytes} bytes of data; an event may have ${MAX_DATA_BYTES}`);
}
