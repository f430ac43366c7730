// The calls of a run that publish events other than text, values and the end: tool calls, statuses, usage, warnings.
import { type ExecstreamError, invalidInput } from '../event/errors.ts';
import {
  CATALOGUE,
  type EventData,
  type EventType,
  isPublishable,
  type NewEvent,
  type OpenStatus,
  timestamp,
  type Usage,
} from '../event/events.ts';
import { copyJson } from '../event/json.ts';
import { fitData } from '../event/omit-fields.ts';
import { parseUsage, type ReportedUsage } from '../event/usage.ts';
import { checkEventData } from '../event/validation.ts';
import type { EmitType, ExecutionPublisher } from './execution-publisher.ts';
import type { RunContext } from './run-context.ts';

export interface EventCalls
  extends Pick<ExecutionPublisher, 'toolCall' | 'status' | 'usage' | 'warning' | 'emit'> {
  /** The usage that was reported last, redacted. */
  readonly lastUsage: Usage | undefined;
}

const OPEN_STATUSES: readonly OpenStatus[] = ['PENDING', 'RUNNING', 'WAITING', 'PAUSED'];

/** Why `emit` does not take a type of the catalogue. */
const NOT_EMITTED: Partial<Record<EventType, string>> = {
  complete: 'call complete()',
  error: 'call fail()',
  reset: 'the publisher creates it',
  gap: 'servers create it',
  llm_chunk: 'call text()',
  structured_delta: 'call value()',
};

export function createEventCalls(context: RunContext): EventCalls {
  const { kind, lifecycle, redaction, sizes, isLate, push, rejectTooLarge, guard, accepted } = context;
  let lastUsage: Usage | undefined;
  let lastStatus: OpenStatus = 'RUNNING';

  function publish<T extends EventType>(type: T, data: EventData[T]): Promise<boolean> {
    const checked = checkEventData(type, copyJson(data, type));
    if (isLate()) return Promise.resolve(false);
    const redacted = redaction.eventData(checked);
    push({ type, ts: timestamp(), data: withinLimits(type, redacted) } as NewEvent);
    return accepted();
  }

  function withinLimits<T extends EventType>(type: T, data: EventData[T]): EventData[T] {
    try {
      return fitData(type, data, sizes);
    } catch (error) {
      return rejectTooLarge(error as ExecstreamError);
    }
  }

  function publishStatus(status: OpenStatus, step?: string): Promise<boolean> {
    const data = { status, ...(step !== undefined && { step }) };
    if (kind === 'agent') return publish('agent_status', data);
    if (kind === 'task') return publish('task_status', data);
    return publish('workflow_status', { ...data, ...(lastUsage && { usage: lastUsage }) });
  }

  function setStatus(status: OpenStatus, step?: string): Promise<boolean> {
    if (!OPEN_STATUSES.includes(status)) {
      const expected = `expected ${OPEN_STATUSES.join(', ')}`;
      throw invalidInput(`status: ${expected}, got ${status}; call complete() or fail() to end the run`);
    }
    const published = publishStatus(status, step);
    if (lifecycle.state === 'open' && status !== lastStatus) lifecycle.setStatus(status);
    lastStatus = status;
    return published;
  }

  function setUsage(reported: Usage | ReportedUsage): Promise<boolean> {
    const usage = parseUsage(reported);
    if (!usage || isLate()) return Promise.resolve(false);
    lastUsage = redaction.json(usage);
    return kind === 'workflow' ? publishStatus(lastStatus) : Promise.resolve(true);
  }

  function emit<T extends EmitType>(type: T, data: EventData[T]): Promise<boolean> {
    if (!Object.hasOwn(CATALOGUE, type)) throw invalidInput(`type: expected an event type, got "${type}"`);
    if (!isPublishable(type, kind)) {
      throw invalidInput(`type: ${type} does not occur in the stream of kind ${kind}`);
    }
    if (NOT_EMITTED[type]) throw invalidInput(`type: ${type} cannot be emitted; ${NOT_EMITTED[type]}`);
    return publish(type, data);
  }

  return {
    get lastUsage() {
      return lastUsage;
    },
    toolCall: (call) => guard('toolCall()', () => publish('tool_call', call)),
    status: (status, step) => guard('status()', () => setStatus(status, step)),
    usage: (usage) => guard('usage()', () => setUsage(usage)),
    warning: (code, message) => guard('warning()', () => publish('warning', { code, message })),
    emit: (type, data) => guard('emit()', () => emit(type, data)),
  };
}
