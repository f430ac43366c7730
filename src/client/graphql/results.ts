// The results of a GraphQL subscription over SSE: the meaning of a message, and whether its result is new.
import { isPosition } from '../../event/cursor.ts';
import type { Decoded } from '../event-stream.ts';
import { positionOf } from '../execution-events.ts';
import { errorOf, type Rejection } from '../rejection.ts';
import type { SseMessage } from '../sse-parser.ts';

/** A result as the server sent it. */
export interface SubscriptionResult extends Pick<Rejection, 'errors'> {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/**
 * Creates the decoder of one subscription. It drops results that were received before, by the cursor in the `id:` of their
 * messages, so the selection does not matter. Results without a cursor are those of other servers, and are never dropped.
 */
export function createResultDecoder(): (message: SseMessage) => Decoded<SubscriptionResult> {
  let [seq, epoch] = positionOf('');
  /** The first and the latest result at this position: a warning that the server generates repeats the position. */
  let first = '';
  let latest = '';

  function isNew(nextSeq: number, nextEpoch: string | undefined, text: string): boolean {
    // After `0-<epoch>`, a reset, the log starts again.
    if (nextSeq > 0 && nextEpoch === epoch) {
      if (nextSeq < seq) return false;
      if (nextSeq === seq && (text === first || text === latest)) return false;
    }
    if (nextSeq !== seq || nextEpoch !== epoch) first = text;
    [seq, epoch, latest] = [nextSeq, nextEpoch, text];
    return true;
  }

  return ({ id, event, data }) => {
    if (event === 'complete') return { isEnd: true };
    if (event !== 'next' || data === undefined) return {};
    const result = JSON.parse(data) as SubscriptionResult;
    // A heartbeat of `?ping=event`.
    if (result.extensions?.ping === true) return {};
    // The result of an event has `data`, which is null if a field has failed.
    if (result.errors && result.data === undefined) throw errorOf(result, 'BAD_USER_INPUT');
    const [nextSeq, nextEpoch] = positionOf(id);
    const isCursor = nextEpoch !== undefined && (nextSeq === 0 || isPosition(nextSeq, nextEpoch));
    return {
      event: !isCursor || isNew(nextSeq, nextEpoch, data) ? result : undefined,
      isEnd: isCursor && isEndOf(result),
    };
  };
}

/** Whether a result is a terminal event, if the selection has `__typename`. `complete` follows it in any case. */
function isEndOf({ data }: SubscriptionResult): boolean {
  const event = Object.values(data ?? {})[0] as { readonly __typename?: string } | null;
  // Another field can be selected as `type`, such as the name of a custom event. A prefix may precede type names.
  return /(Complete|Error)Event$/.test(`${event?.__typename}`);
}
