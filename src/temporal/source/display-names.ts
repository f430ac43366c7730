// Names and summaries from the history of a workflow that does not use execstream, as its stream shows them.
import { truncate } from '../../event/text.ts';
import { type Failure, failureMessage } from '../shared/failure.ts';
import type { HistoryEvent } from '../shared/history-event.ts';
import { decodePlainJson, type Payload } from '../shared/payloads.ts';

/** UTF-16 code units of a name: users choose the names of activities, signals and timers. */
const MAX_NAME_UNITS = 200;

/** `<type>#<activity id>`: the id distinguishes activities of one type within a run. */
export function taskIdOf(type: string | null | undefined, activityId: string | null | undefined): string {
  return displayName(`${type ?? 'activity'}#${activityId ?? ''}`);
}

/** The attempt of an activity that was retried, and why the attempt before failed; undefined for the first one. */
export function attemptStep(
  attempt: number | null | undefined,
  lastFailure: Failure | null | undefined,
): string | undefined {
  if (!attempt || attempt < 2) return undefined;
  return `attempt ${attempt}${lastFailure ? `, after: ${failureMessage(lastFailure)}` : ''}`;
}

export function displayName(name: string): string {
  return truncate(name, MAX_NAME_UNITS);
}

/**
 * What the user's metadata of an event says in words for people: the summary, otherwise the first line of the details.
 * Temporal keeps both for display; they are payloads, so without the codec that encoded them they cannot be read.
 */
export function summaryOf({ userMetadata }: HistoryEvent): string | undefined {
  const line = textOf(userMetadata?.summary) ?? textOf(userMetadata?.details)?.trimStart().split('\n')[0];
  return line ? displayName(line.trim()) || undefined : undefined;
}

function textOf(payload: Payload | null | undefined): string | undefined {
  const text = payload ? decodePlainJson(payload) : undefined;
  return typeof text === 'string' && text.trim() !== '' ? text : undefined;
}
