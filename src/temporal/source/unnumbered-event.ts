// Events that a history maps to, before they have a seq.
import type { EventData, EventType } from '../../event/events.ts';
import type { HistoryEvent } from '../shared/history-event.ts';
import { displayName } from './display-names.ts';

/** An event without its seq and time. */
export type UnnumberedEvent = {
  [T in EventType]: { readonly type: T; readonly data: EventData[T] };
}[EventType];

/** The names of the fields of which each event of a history has one, for its type. */
export type AttributesKey = Extract<keyof HistoryEvent, `${string}EventAttributes`>;

/** Maps the attributes of an event; undefined for one that viewers do not see. */
type AttributesMapper<K extends AttributesKey> = (
  attributes: NonNullable<HistoryEvent[K]>,
  event: HistoryEvent,
) => UnnumberedEvent | undefined;

/** A mapper for every type of event: a type that is added to Temporal's API does not compile until it has one. */
export type HistoryMapping = { readonly [K in AttributesKey]: AttributesMapper<K> };

/**
 * A step of the workflow.
 * @param reason why, or the message of a failure
 */
export function step(name: string, reason?: string | null): UnnumberedEvent {
  const text = reason ? `${displayName(name)}: ${reason}` : displayName(name);
  return { type: 'workflow_status', data: { status: 'RUNNING', step: text } };
}

export function warning(code: string, message: string): UnnumberedEvent {
  return { type: 'warning', data: { code, message } };
}
