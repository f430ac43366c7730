// Encodes results as parts of a multipart subscription
// (https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol), with the event's cursor
// in `extensions.cursor` of each payload.
//
// A reader recognises the end of a part by the delimiter after it. So each frame ends with the delimiter of the next part:
// otherwise every event would arrive one event late.
import type { ExecutionResult } from 'graphql';
import { type Frame, textFrame } from '../sse/frame.ts';
import type { StreamFormat } from '../sse/stream-format.ts';
import type { Encoder } from '../stream/encoder.ts';

export const MULTIPART_TYPE = 'multipart/mixed;subscriptionSpec=1.0';
const BOUNDARY = 'graphql';
const DELIMITER = `\r\n--${BOUNDARY}`;
const HEARTBEAT = part('{}');

const FORMAT: StreamFormat = {
  contentType: `multipart/mixed; boundary="${BOUNDARY}"; subscriptionSpec=1.0`,
  // Together with a heartbeat, because proxies and clients may hold back a body without a part.
  opening: () => textFrame(`${DELIMITER.trimStart()}${partText('{}')}`),
  heartbeat: () => HEARTBEAT,
  // The protocol has no part without a payload that clients ignore, except for an empty heartbeat.
  cursor: () => undefined,
};

export const MULTIPART_ENCODING: Encoder = {
  name: 'multipart',
  format: FORMAT,
  next: (event, executor) => part(`{"payload":${withCursor(executor.json(event), event.id)}}`),
  complete: () => textFrame('--\r\n'),
};

/** Encodes a result that belongs to no event. */
export function payloadFrame(result: ExecutionResult): Frame {
  return part(JSON.stringify({ payload: result }));
}

/** @param json a result as JSON, which has no `extensions`: `{"data":…}` */
function withCursor(json: string, cursor: string): string {
  return `${json.slice(0, -1)},"extensions":{"cursor":"${cursor}"}}`;
}

function part(json: string): Frame {
  return textFrame(partText(json));
}

function partText(json: string): string {
  return `\r\nContent-Type: application/json; charset=utf-8\r\n\r\n${json}${DELIMITER}`;
}
