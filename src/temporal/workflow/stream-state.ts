// A workflow's stream, made: numbers events, holds them for the query, hands them to the sink.
import { continueAsNew, defineQuery, setHandler, uuid4, workflowInfo } from '@temporalio/workflow';
import {
  type EventData,
  type EventType,
  type ExecutionStatus,
  MAX_DATA_BYTES,
  timestamp,
  type Usage,
} from '../../event/events.ts';
import { STREAM_QUERY, type StreamPage, type WorkflowEvent } from '../shared/stream-query.ts';
import { childEnd, childStart } from './child-events.ts';
import { epochOf } from './epoch.ts';
import { always, completeData, errorData } from './error-cause.ts';
import { createEventBuffer, utf8Bytes } from './event-buffer.ts';
import { sink } from './live-sink.ts';
import type { StreamState, StreamStateOptions, WorkflowEventType } from './options.ts';

const BOUNDS = { maxEvents: 2_000, maxBytes: 1024 * 1024 };
const CARRY = { maxEvents: 200, maxBytes: 128 * 1024 };
const PAGE_BYTES = 256 * 1024;

const EMITTED: readonly string[] = [
  'workflow_start',
  'workflow_status',
  'agent_start',
  'agent_status',
  'task_start',
  'task_status',
  'tool_call',
  'warning',
] satisfies WorkflowEventType[];

// One a workflow: the sandbox gives each workflow modules of its own.
let isMade = false;

/**
 * Makes the running workflow's stream: begins it with `workflow_start` (or goes on with what was carried over), and
 * answers the query `getStreamState` from now on. To be called first, so that the query finds it; `streamed` does.
 * @throws Error where the workflow has one already.
 */
export function createStreamState(options: StreamStateOptions = {}): StreamState {
  if (isMade)
    throw new Error('This workflow has its stream already: one createStreamState() or streamed() each');
  isMade = true;
  const info = workflowInfo();
  const { carried } = options;
  const { workflowId, workflowType, runId } = info;
  const executionId = options.executionId ?? carried?.executionId ?? workflowId;
  const parentId = options.parentId ?? info.parent?.workflowId;
  const epoch = epochOf(info, carried);
  const bounds = {
    maxEvents: options.maxEvents ?? BOUNDS.maxEvents,
    maxBytes: options.maxBytes ?? BOUNDS.maxBytes,
  };
  const held = createEventBuffer(bounds, carried?.base ?? 0, carried?.tail ?? []);
  let status: ExecutionStatus = carried?.status ?? 'RUNNING';
  let lastUsage: Usage | undefined = carried?.usage;
  let hasEnded = false;

  function add<T extends EventType>(type: T, data: EventData[T]): void {
    const event = { seq: held.next, type, ts: timestamp(), data } as WorkflowEvent;
    held.add(event);
    sink({ executionId, ...(parentId && { parentId }), epoch, event }, options.live);
  }

  function emit<T extends EventType>(type: T, data: EventData[T]): void {
    if (hasEnded) return;
    const checked = check(type, data);
    if (typeof checked === 'string') {
      add('warning', {
        code: checked,
        message: `an event of type ${String(type).slice(0, 40)} was left out`,
      });
      return;
    }
    if (type === 'workflow_status') status = (checked as EventData['workflow_status']).status;
    add(type, checked);
  }

  function end(type: 'complete' | 'error', data: EventData['complete'] | EventData['error']): void {
    if (hasEnded) return;
    status = data.status;
    add(type, data);
    hasEnded = true;
  }

  function carryOver() {
    const tail = held.tail({ ...CARRY, ...options.carry });
    const { next } = held;
    const base = next - 1 - tail.length;
    const usage = lastUsage && { usage: lastUsage };
    return { execstream: 1 as const, executionId, epoch, runId, base, next, tail, status, ...usage };
  }

  function page(since: unknown = 0): StreamPage {
    const after = typeof since === 'number' && since > 0 ? Math.floor(since) : 0;
    const { base, next } = held;
    const events = held.page(after, options.pageBytes ?? PAGE_BYTES);
    const firstRunId = info.firstExecutionRunId;
    const before = carried && { continuedFrom: carried.runId };
    const { attempt } = info;
    return { epoch, base, next, runId, firstRunId, ...before, executionId, attempt, status, events };
  }

  const told = () => always(info.startTime, Date.now(), lastUsage);
  const state: StreamState = {
    executionId,
    get hasEnded() {
      return hasEnded;
    },
    emit,
    status: (next, step) => emit('workflow_status', { status: next, ...(step !== undefined && { step }) }),
    usage(usage) {
      const open = status;
      emit('workflow_status', { status: open, usage });
      lastUsage = { ...usage };
    },
    toolCall: (call) => emit('tool_call', call),
    warning: (code, message) => emit('warning', { code, message }),
    childId(kind, name) {
      const readable = name.replace(/[^A-Za-z0-9._:~@+-]/g, '-').slice(0, 40) || kind;
      return `${executionId.slice(0, 140)}/${readable}-${uuid4().slice(0, 8)}`;
    },
    async child(child, run) {
      const name = child.kind === 'agent' ? child.agentId : child.taskId;
      const id = child.executionId ?? state.childId(child.kind, name);
      const [type, data] = childStart(child, id);
      emit(type, data);
      let error: unknown;
      try {
        return await run(id);
      } catch (thrown) {
        error = thrown ?? 'failed';
        throw thrown;
      } finally {
        const [ended, how] = childEnd(child, id, error);
        emit(ended, how);
      }
    },
    carryOver,
    continueAsNew: (...args) => continueAsNew(...args, carryOver()),
    complete: (result) => end('complete', completeData(result, told())),
    fail: (error, how = 'FAILED') => end('error', errorData(how, error, told())),
  };

  setHandler(defineQuery<StreamPage, [number?]>(STREAM_QUERY), page, {
    description: 'The events of the workflow after a seq, for execstream',
  });
  if (!carried) emit('workflow_start', { workflowId, workflowType, runId });
  return state;
}

/** The data as JSON has it, so that the query and the sink tell the same; or the code of what is wrong with it. */
function check<T extends EventType>(
  type: T,
  data: EventData[T],
): EventData[T] | 'BAD_EVENT' | 'EVENT_TOO_LARGE' {
  if (!EMITTED.includes(type)) return 'BAD_EVENT';
  try {
    const json = JSON.stringify(data);
    if (utf8Bytes(json) > MAX_DATA_BYTES) return 'EVENT_TOO_LARGE';
    const copy = JSON.parse(json) as EventData[T];
    return typeof copy === 'object' && copy !== null ? copy : 'BAD_EVENT';
  } catch {
    return 'BAD_EVENT';
  }
}
