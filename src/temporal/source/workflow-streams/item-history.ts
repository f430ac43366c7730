// The items of a workflow's stream, read from its history: from the signals of publishers, from the results of polls, and
// from the state that continue-as-new carries over. So every server reads the same items in the same order.
//
// Invariants
// 1. What a history event shows depends only on the events up to it.
// 2. When a run is continued as new, all items that it carries over have been shown. The next run starts after them; if no
//    run precedes it in the stream of events, it shows them first.
// 3. A batch that a publisher repeats is shown once.
import { failureMessage } from '../../shared/failure.ts';
import type { HistoryEvent } from '../../shared/history-event.ts';
import type { Payload, Payloads } from '../../shared/payloads.ts';
import { ItemOffsets } from './item-offsets.ts';
import { decodeItems, type StreamItem } from './stream-items.ts';
import {
  findCarriedStream,
  POLL_UPDATE,
  PUBLISH_SIGNAL,
  readPollResult,
  readPollStart,
  readPublication,
  readTruncation,
} from './wire-format.ts';

/** What a history event means for the stream. */
export interface ItemNews {
  /** Items that have not been shown before. */
  readonly items: readonly StreamItem[];
  /** Whether the event is a message of Workflow Streams and nothing else. */
  readonly isProtocol: boolean;
  /** Whether the event has items that could not be decoded. */
  readonly isUndecodable: boolean;
}

/** How far a history has been read. */
export interface ItemPosition {
  /** The offset up to which all items have been shown. */
  readonly confirmed: number;
  /** The lowest possible number of items in the stream. */
  readonly known: number;
  /** Whether the workflow has processed all signals that were read, and `known` is not too low. */
  readonly isSettled: boolean;
  /** Whether the run has had a message of Workflow Streams. */
  readonly isUsed: boolean;
  /** The number of accepted polls, of all subscribers. */
  readonly polls: number;
  readonly lastEventId: number;
}

export interface ItemHistory {
  /**
   * Reads the next event. Pass it every event from the first, in order.
   * @throws as `decode`: with other items at another time, a log would contradict its history.
   */
  read(event: HistoryEvent): Promise<ItemNews>;
  readonly position: ItemPosition;
}

const NONE: ItemNews = { items: [], isProtocol: false, isUndecodable: false };
const HIDDEN: ItemNews = { ...NONE, isProtocol: true };
const UNDECODABLE: ItemNews = { ...HIDDEN, isUndecodable: true };

/** Our polls have ids that start with this: they start after items that have all been shown. */
export const POLL_ID_PREFIX = 'execstream-poll-';

/**
 * Creates the reader of one run's history.
 * @param isContinued whether the run continues one whose events precede it in the same stream
 * @param decode the codec
 */
export function createItemHistory(
  isContinued: boolean,
  decode: (payloads: readonly Payload[]) => Promise<readonly Payload[]>,
): ItemHistory {
  let offsets = new ItemOffsets();
  const sequences = new Map<string, number>();
  /** The offsets at which the polls in progress start, by update id; undefined for one that is not for all topics. */
  const polls = new Map<string, number | undefined>();
  let accepted = 0;
  let lastEventId = 0;
  let lastPublishId = 0;
  /** When the last completed workflow task started. */
  let lastTaskStartId = 0;
  let isUsed = false;

  const decodeAll = async (payloads: Payloads | null | undefined) => decode(payloads?.payloads ?? []);

  async function publish(input: Payloads | null | undefined): Promise<ItemNews> {
    lastPublishId = lastEventId;
    const publication = readPublication((await decodeAll(input))[0]);
    if (!publication) return UNDECODABLE;
    const { publisherId, sequence } = publication;
    if (publisherId !== '') {
      if (sequence <= (sequences.get(publisherId) ?? 0)) return HIDDEN;
      sequences.set(publisherId, sequence);
    }
    const items = await decodeItems(publication.items);
    offsets.publish(items);
    return { ...HIDDEN, items };
  }

  async function startPoll(updateId: string, args: Payloads | null | undefined): Promise<void> {
    if (!polls.has(updateId)) polls.set(updateId, readPollStart((await decodeAll(args))[0]));
  }

  async function completePoll(
    updateId: string,
    result: Payloads | null | undefined,
    failure: string | undefined,
  ): Promise<ItemNews> {
    const start = polls.get(updateId);
    polls.delete(updateId);
    const truncatedTo = failure && readTruncation(failure);
    if (truncatedTo) offsets.truncate(truncatedTo);
    // A poll of another subscriber may start after items that nobody has seen.
    if (updateId.startsWith(POLL_ID_PREFIX)) offsets.confirm(start ?? 0);
    if (failure !== undefined || start === undefined || start > offsets.confirmed) return HIDDEN;
    const items = readPollResult((await decodeAll(result))[0]);
    return items ? { ...HIDDEN, items: offsets.poll(await decodeItems(items)) } : UNDECODABLE;
  }

  /** A run that continues another one starts with the items of that. */
  async function start(input: Payloads | null | undefined): Promise<ItemNews> {
    const carried = findCarriedStream(await decodeAll(input));
    if (!carried) return NONE;
    isUsed = true;
    for (const [publisherId, sequence] of carried.sequences) sequences.set(publisherId, sequence);
    offsets = new ItemOffsets(carried.nextOffset);
    return isContinued ? NONE : { ...NONE, items: await decodeItems(carried.items) };
  }

  async function finish(input: Payloads | null | undefined): Promise<ItemNews> {
    const carried = findCarriedStream(await decodeAll(input));
    return carried ? { ...NONE, items: offsets.poll(await decodeItems(carried.items)) } : NONE;
  }

  return {
    async read(event) {
      lastEventId = Math.max(lastEventId, Number(event.eventId ?? 0));
      const started = event.workflowExecutionStartedEventAttributes;
      if (started) return started.continuedExecutionRunId ? start(started.input) : NONE;
      const task = event.workflowTaskCompletedEventAttributes;
      if (task) lastTaskStartId = Number(task.startedEventId ?? 0);
      const signaled = event.workflowExecutionSignaledEventAttributes;
      if (signaled?.signalName === PUBLISH_SIGNAL) {
        isUsed = true;
        return publish(signaled.input);
      }
      const admitted = event.workflowExecutionUpdateAdmittedEventAttributes?.request;
      const acceptedRequest = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest;
      const request = admitted ?? acceptedRequest;
      if (request?.input?.name === POLL_UPDATE) {
        isUsed = true;
        await startPoll(request.meta?.updateId ?? '', request.input.args);
      }
      const acceptance = event.workflowExecutionUpdateAcceptedEventAttributes;
      const updateId = acceptance?.protocolInstanceId ?? request?.meta?.updateId ?? '';
      if ((admitted || acceptance) && polls.has(updateId)) {
        if (acceptance) accepted += 1;
        return HIDDEN;
      }
      const rejected = event.workflowExecutionUpdateRejectedEventAttributes;
      if (rejected?.rejectedRequest?.input?.name === POLL_UPDATE) return HIDDEN;
      const completed = event.workflowExecutionUpdateCompletedEventAttributes;
      if (completed && polls.has(completed.meta?.updateId ?? '')) {
        const { success, failure } = completed.outcome ?? {};
        return completePoll(
          completed.meta!.updateId!,
          success,
          failure ? failureMessage(failure) : undefined,
        );
      }
      const continued = event.workflowExecutionContinuedAsNewEventAttributes;
      return continued ? finish(continued.input) : NONE;
    },
    get position() {
      const { confirmed, known } = offsets;
      const isProcessed = lastPublishId < lastTaskStartId || lastPublishId === 0;
      const isSettled = isProcessed && offsets.isExact;
      return { confirmed, known, isSettled, isUsed, polls: accepted, lastEventId };
    },
  };
}
