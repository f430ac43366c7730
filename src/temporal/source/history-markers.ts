// What an SDK records in the history for itself: local activities, versions and side effects.
//
// Markers have payloads. Those that hold names, as the SDKs write them, are decoded; a result never is. With a codec
// they cannot be read, and then the marker is shown without a name.
import type { ExecutionStatus, JsonValue } from '../../event/events.ts';
import { type Failure, failureMessage } from '../shared/failure.ts';
import { decodePlainJson, type Payloads } from '../shared/payloads.ts';
import { taskIdOf } from './display-names.ts';
import { type HistoryMapping, step, type UnnumberedEvent } from './unnumbered-event.ts';

type Details = Readonly<Record<string, Payloads>>;

/** The markers of the SDKs: on Core (TypeScript, Python, .NET, Ruby), of Go and PHP, of Java. */
const MARKERS: Readonly<Record<string, (details: Details, failure: Failure | undefined) => UnnumberedEvent>> =
  {
    core_local_activity: localActivity,
    LocalActivity: localActivity,
    core_patch: (details) => step(named('patch', fieldOf(read(details, 'patch-data'), 'id'))),
    Version(details) {
      const changeId = read(details, 'change-id') ?? read(details, 'changeId');
      return step(named('version', read(details, 'version'), 'of', changeId));
    },
    SideEffect: () => step('side effect'),
    MutableSideEffect: (details) =>
      step(named('side effect', read(details, 'side-effect-id') ?? read(details, 'id'))),
  };

export const MARKER_MAPPING = {
  markerRecordedEventAttributes({ markerName, details, failure }) {
    const mapper = markerName && Object.hasOwn(MARKERS, markerName) ? MARKERS[markerName] : undefined;
    return mapper?.(details ?? {}, failure ?? undefined) ?? step(named('marker', markerName));
  },
} satisfies Partial<HistoryMapping>;

/** A local activity has one event, once an attempt is over: there is no start. */
function localActivity(details: Details, failure: Failure | undefined): UnnumberedEvent {
  const data = read(details, 'data');
  const type = fieldOf(data, 'activity_type', 'ActivityType') ?? read(details, 'type');
  const id = fieldOf(data, 'activity_id', 'ActivityID') ?? read(details, 'activityId');
  const taskId = taskIdOf(textOf(type) ?? 'local activity', textOf(id));
  if (!failure) return { type: 'task_status', data: { status: 'SUCCESS', step: 'local activity', taskId } };
  const message = `local activity: ${failureMessage(failure)}`;
  // It is retried after a timer, and has another marker then.
  if (fieldOf(data, 'backoff', 'Backoff')) {
    return { type: 'task_status', data: { status: 'RUNNING', step: `${message}; retrying`, taskId } };
  }
  return { type: 'task_status', data: { status: statusOf(failure), step: message, taskId } };
}

function statusOf({ canceledFailureInfo, timeoutFailureInfo, cause }: Failure): ExecutionStatus {
  if (canceledFailureInfo || cause?.canceledFailureInfo) return 'CANCELED';
  return timeoutFailureInfo || cause?.timeoutFailureInfo ? 'TIMED_OUT' : 'FAILED';
}

function named(what: string, ...names: (JsonValue | null | undefined)[]): string {
  return [what, ...names.map(textOf)].filter((word) => word !== undefined).join(' ');
}

function textOf(value: JsonValue | null | undefined): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function read(details: Details, key: string): JsonValue | undefined {
  const [payload] = Object.hasOwn(details, key) ? (details[key]?.payloads ?? []) : [];
  return payload && decodePlainJson(payload);
}

/** The first of these fields that a value has. */
function fieldOf(value: JsonValue | undefined, ...names: string[]): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const name = names.find((key) => Object.hasOwn(value, key));
  return name === undefined ? undefined : value[name];
}
