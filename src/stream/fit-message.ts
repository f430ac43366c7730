// Encodes again what exceeds the limit of a message: events that other writers have appended, selections that contain a
// field twice, and synthetic `gap` events with the complete text. Publishers split and omit before they append, so this
// is rare.
import type { ExecutionResult } from 'graphql';
import type { EventData, ExecutionEvent } from '../event/events.ts';
import { withoutFields } from '../event/omit-fields.ts';
import type { SizeLimits } from '../event/size-limits.ts';
import { errorData } from '../event/terminal-event.ts';
import { truncateToBytes } from '../event/text.ts';
import type { Frame } from '../sse/frame.ts';
import type { Encoder, EventExecutor } from './encoder.ts';

/** The frame of an event whose own frame exceeds the limit. */
export function fitFrame(
  event: ExecutionEvent,
  encoder: Encoder,
  executor: EventExecutor,
  sizes: SizeLimits,
): Frame {
  let frame: Frame | undefined;
  for (const smaller of smallerVersions(event, sizes)) {
    frame = encoder.next(smaller, executor);
    if (frame.length <= sizes.message) break;
  }
  return frame!;
}

/** What a message adds to the JSON of a result that is not encoded here: single connection mode names the operation. */
const RESULT_ENVELOPE_BYTES = 1024;

/** The result of an event, small enough for a message. */
export function fitResult(
  event: ExecutionEvent,
  executor: EventExecutor,
  sizes: SizeLimits,
): ExecutionResult {
  const limit = sizes.message - RESULT_ENVELOPE_BYTES;
  const fits = (result: ExecutionResult) => Buffer.byteLength(JSON.stringify(result)) <= limit;
  let result = executor.result(event);
  if (fits(result)) return result;
  for (const smaller of smallerVersions(event, sizes)) {
    result = executor.result(smaller);
    if (fits(result)) break;
  }
  return result;
}

/** Copies of an event, each smaller than the one before; the last one fits with every selection. */
function* smallerVersions(event: ExecutionEvent, sizes: SizeLimits): Generator<ExecutionEvent> {
  for (const data of withoutFields(event.type, event.data)) yield { ...event, data } as ExecutionEvent;
  const { id, seq, ts, executionId, attempt } = event;
  const envelope = { id, seq, ts, executionId, attempt };
  switch (event.type) {
    // The end of a stream must not be lost.
    case 'error': {
      const { status, durationMs } = event.data;
      yield { ...envelope, type: 'error', data: errorData(status, event.data, { durationMs }, sizes) };
      return;
    }
    case 'complete': {
      const { status, durationMs } = event.data;
      yield { ...envelope, type: 'complete', data: { status, resultOmitted: true, durationMs } };
      return;
    }
    case 'warning': {
      const [code, message] = [event.data.code, event.data.message].map((text) =>
        truncateToBytes(text, sizes.part / 4),
      );
      yield { ...envelope, type: 'warning', data: { code: code!, message: message! } };
      return;
    }
    default: {
      const data: EventData['gap'] = { fromSeq: seq, toSeq: seq };
      yield { ...envelope, type: 'gap', data };
    }
  }
}
