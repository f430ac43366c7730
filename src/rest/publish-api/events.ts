// Validates the events of a batch one by one and splits large ones; errors name the first invalid event.
import { z } from 'zod';
import { isExecstreamError } from '../../event/errors.ts';
import {
  CATALOGUE,
  type EventData,
  type EventType,
  isPublishable,
  isTerminal,
  type NewEvent,
  timestamp,
} from '../../event/events.ts';
import { splitPatch } from '../../event/json-diff.ts';
import { fitData } from '../../event/omit-fields.ts';
import type { SizeLimits } from '../../event/size-limits.ts';
import { splitText } from '../../event/text.ts';
import { checkEventData } from '../../event/validation.ts';
import { MAX_ATTEMPT } from '../../execution/attempt-rules.ts';
import type { Execution } from '../../execution/store.ts';
import { MAX_BATCH_BYTES } from '../../log/log.ts';
import type { Redaction } from '../../redact/redaction.ts';
import { bodyTooLarge, unprocessable } from '../request-body.ts';

/** The format of a time. Its range is checked separately. */
export const EVENT_TIME = z.iso.datetime({ offset: true });

/** The shape of a batch; the data of its events is validated separately. An empty batch is a heartbeat. */
export const BATCH = z.strictObject({
  events: z
    .array(
      z.strictObject({
        type: z.string(),
        data: z.record(z.string(), z.unknown()),
        ts: EVENT_TIME.optional(),
      }),
    )
    .max(1_000),
  /** The epoch that the publisher knows: a batch for another one is not appended. */
  epoch: z.string().min(1).max(16).optional(),
  /** The attempt of the publisher: a batch of a former attempt is not appended. */
  attempt: z.int().min(1).max(MAX_ATTEMPT).optional(),
  /** The publisher gives up this attempt, and another one will follow. */
  abandon: z.literal(true).optional(),
});

export type SentEvents = z.infer<typeof BATCH>['events'];

export interface CheckedEvents {
  readonly events: NewEvent[];
  /** For each event, the index in the batch of the event that it was split from. */
  readonly indices: number[];
}

export interface CheckEventsOptions {
  readonly row: Pick<Execution, 'kind' | 'mode'>;
  /** Applied before events are split, so that a secret is not split and its replacement counts. */
  readonly redaction: Pick<Redaction, 'eventData' | 'text'>;
  readonly sizes: SizeLimits;
}

/**
 * Validates and redacts a batch for an execution. Text and patches that do not fit into one event are split into
 * several; arguments and results that do not fit are omitted.
 * @throws RejectedRequest 422 or 413, naming the event by its index.
 */
export function checkEvents(sent: SentEvents, { row, redaction, sizes }: CheckEventsOptions): CheckedEvents {
  const { text } = redaction;
  const lastChunk = sent.findLastIndex(({ type }) => type === 'llm_chunk');
  const checked = sent.map((event, i) => {
    const path = `events.${i}`;
    const type = event.type as EventType;
    if (isTerminal(type) && i < sent.length - 1) {
      throw unprocessable(`${path}: ${type} must be the last event of the batch`);
    }
    const problem = problemWithType(type, row);
    if (problem) throw unprocessable(`${path}: ${problem}`);
    const ts = checkTime(event.ts, `${path}.ts`);
    const data = checkData(type, event.data, path);
    if ('reason' in data && data.reason !== 'overflow') {
      throw unprocessable(`${path}: reset: expected the reason overflow; the server writes all others`);
    }
    // All chunks are one text, but each keeps its place among the other events.
    const redacted =
      'content' in data
        ? { content: text.add(data.content) + (i === lastChunk ? text.end() : text.pause()) }
        : redaction.eventData(data);
    return fitEvent({ type, ts, data: redacted } as NewEvent, sizes, path);
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
  if (!isPublishable(type, kind)) return `${type} does not occur in streams of kind ${kind}`;
  if (type === 'gap') return 'gap can only be written by the server';
  if (type === 'llm_chunk' && mode !== 'TEXT') return `llm_chunk requires mode TEXT, got ${mode}`;
  if (type === 'structured_delta' && mode !== 'STRUCTURED') {
    return `structured_delta requires mode STRUCTURED, got ${mode}`;
  }
  return undefined;
}

function checkData(type: EventType, data: Record<string, unknown>, path: string): EventData[EventType] {
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

function fitEvent(event: NewEvent, sizes: SizeLimits, path: string): NewEvent[] {
  const { type, ts, data } = event;
  // A result that is too large for an event is stored in the row, from which the terminal event is created.
  if (isTerminal(type)) return [event];
  try {
    if (type === 'llm_chunk') {
      // An empty chunk is an event too.
      const [first = '', ...rest] = splitText(data.content, sizes);
      return [first, ...rest].map((content) => ({ type, ts, data: { content } }));
    }
    if (type === 'structured_delta') {
      const patches = splitPatch(data.patch, { sizes, totalBytes: MAX_SPLIT_BYTES });
      return (patches.length === 0 ? [data.patch] : patches).map((patch) => ({ type, ts, data: { patch } }));
    }
    return [{ type, ts, data: fitData(type, data, sizes) } as NewEvent];
  } catch (error) {
    if (isExecstreamError(error)) throw bodyTooLarge(`${path}: ${error.message}`);
    throw error;
  }
}
