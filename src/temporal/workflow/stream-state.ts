// Creates a workflow's stream: numbers its events, keeps them for the query and passes them to the sink.
import { continueAsNew, defineQuery, getRandomStream, setHandler, workflowInfo } from '@temporalio/workflow';
import { isExecstreamError } from '../../event/errors.ts';
import {
  type EventData,
  type EventType,
  type ExecutionStatus,
  timestamp,
  type Usage,
} from '../../event/events.ts';
import { fitData } from '../../event/omit-fields.ts';
import { DEFAULT_SIZE_LIMITS } from '../../event/size-limits.ts';
import { completeData, endSummary, errorData } from '../../event/terminal-event.ts';
import { startOf } from '../../event/text.ts';
import { parseUsage } from '../../event/usage.ts';
import { leftOutMessage, STREAM_QUERY, type StreamPage, type WorkflowEvent } from '../shared/stream-query.ts';
import { type ChildEvent, childEnd, childStart } from './child-events.ts';
import { epochOf } from './epoch.ts';
import { errorCause } from './error-cause.ts';
import { createEventBuffer } from './event-buffer.ts';
import { emitToSink } from './live-sink.ts';
import { observe } from './observe.ts';
import type { StreamState, StreamStateOptions, WorkflowEventType } from './options.ts';

const BUFFER_LIMITS = { maxEvents: 2_000, maxBytes: 1024 * 1024 };
const CARRY_LIMITS = { maxEvents: 200, maxBytes: 128 * 1024 };
const PAGE_BYTES = 256 * 1024;
const RANDOM_STREAM = 'execstream';

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

// Per workflow: the sandbox loads this module separately for each workflow.
let exists = false;

/**
 * Creates the stream of the running workflow and registers the query `getStreamState`. The stream starts with
 * `workflow_start`, or continues the one that was carried over. Call it first, so that the query is registered before
 * anything waits; `streamed` does so.
 * @throws Error if the workflow already has a stream.
 */
export function createStreamState(options: StreamStateOptions = {}): StreamState {
  if (exists) throw new Error('a workflow has one stream; it was created before');
  exists = true;
  const info = workflowInfo();
  const { carried } = options;
  const { workflowId, workflowType, runId } = info;
  const { executionId: named } = options;
  const toId = typeof named === 'function' ? named : (id: string) => id;
  const ownId = typeof named === 'string' ? named : carried?.executionId;
  const executionId = ownId ?? toId(workflowId);
  const parentId = options.parentId ?? (info.parent && toId(info.parent.workflowId));
  const epoch = epochOf(info, carried);
  const limits = {
    maxEvents: options.maxEvents ?? BUFFER_LIMITS.maxEvents,
    maxBytes: options.maxBytes ?? BUFFER_LIMITS.maxBytes,
  };
  const buffer = createEventBuffer(limits, carried?.base ?? 0, carried?.tail ?? []);
  let status: ExecutionStatus = carried?.status ?? 'RUNNING';
  let lastUsage: Usage | undefined = carried?.usage;
  let hasEnded = false;

  function add<T extends EventType>(type: T, data: EventData[T]): void {
    const event = { seq: buffer.next, type, ts: timestamp(), data } as WorkflowEvent;
    buffer.add(event);
    emitToSink({ executionId, ...(parentId && { parentId }), epoch, event }, options.live);
  }

  /** Emits an event, or a warning in its place. Returns the data of the event if it was emitted. */
  function emit<T extends EventType>(type: T, data: EventData[T]): EventData[T] | undefined {
    if (hasEnded) return undefined;
    const checked = toJson(type, data);
    if (typeof checked === 'string') {
      add('warning', { code: checked, message: leftOutMessage(type) });
      return undefined;
    }
    if (type === 'workflow_status') status = (checked as EventData['workflow_status']).status;
    add(type, checked);
    return checked;
  }

  function end(type: 'complete' | 'error', data: EventData['complete'] | EventData['error']): void {
    if (hasEnded) return;
    status = data.status;
    add(type, data);
    hasEnded = true;
  }

  function carryOver() {
    const tail = buffer.tail({ ...CARRY_LIMITS, ...options.carry });
    const { next } = buffer;
    const base = next - 1 - tail.length;
    const usage = lastUsage && { usage: lastUsage };
    return { execstream: 1 as const, executionId, epoch, runId, base, next, tail, status, ...usage };
  }

  function page(since: unknown = 0): StreamPage {
    const after = typeof since === 'number' && since > 0 ? Math.floor(since) : 0;
    const { base, next } = buffer;
    const events = buffer.page(after, options.pageBytes ?? PAGE_BYTES);
    const firstRunId = info.firstExecutionRunId;
    const before = carried && { continuedFrom: carried.runId };
    const { attempt } = info;
    return { epoch, base, next, runId, firstRunId, ...before, executionId, attempt, status, events };
  }

  // The duration counts from the start of the chain of runs.
  const summary = () => endSummary(lastUsage, Date.now() - info.startTime.getTime());
  const state: StreamState = {
    executionId,
    get hasEnded() {
      return hasEnded;
    },
    emit,
    status: (next, step) => emit('workflow_status', { status: next, ...(step !== undefined && { step }) }),
    usage(reported) {
      lastUsage = emit('workflow_status', { status, usage: reported as Usage })?.usage ?? lastUsage;
    },
    toolCall: (call) => emit('tool_call', call),
    warning: (code, message) => emit('warning', { code, message }),
    childId(kind, name) {
      // From a stream of random numbers that leaves those of the workflow untouched. Each run has others, except that a
      // run that was reset repeats them up to the reset.
      const readable = name.replace(/[^A-Za-z0-9._:~@+-]/g, '-').slice(0, 40) || kind;
      return `${startOf(executionId, 140)}/${readable}-${getRandomStream(RANDOM_STREAM).uuid4().slice(0, 13)}`;
    },
    child(child, run) {
      const name = child.kind === 'agent' ? child.agentId : child.taskId;
      const id = child.executionId ?? state.childId(child.kind, name);
      const emitChild = ([type, data]: ChildEvent) => void emit(type, data);
      emitChild(childStart(child, id));
      return observe(
        () => run(id),
        () => emitChild(childEnd(child, id, undefined)),
        (error) => emitChild(childEnd(child, id, error ?? 'failed')),
      );
    },
    carryOver,
    continueAsNew: (...args) => continueAsNew(...args, carryOver()),
    complete: (result) => end('complete', completeData(result, summary())),
    fail: (error, failed = 'FAILED') => end('error', errorData(failed, errorCause(error), summary())),
  };

  setHandler(defineQuery<StreamPage, [number?]>(STREAM_QUERY), page, {
    description: 'The events of the workflow after a seq, for execstream',
  });
  if (!carried) emit('workflow_start', { workflowId, workflowType, runId });
  return state;
}

/**
 * The data as JSON carries it, so that query and sink report the same, without fields that do not fit; or the code of the
 * warning to emit instead.
 */
function toJson<T extends EventType>(
  type: T,
  data: EventData[T],
): EventData[T] | 'BAD_EVENT' | 'EVENT_TOO_LARGE' {
  if (!EMITTED.includes(type)) return 'BAD_EVENT';
  try {
    if (typeof data !== 'object' || data === null) return 'BAD_EVENT';
    const read = 'usage' in data ? { ...data, usage: parseUsage(data.usage) } : data;
    const copy = JSON.parse(JSON.stringify(read)) as EventData[T];
    if (typeof copy !== 'object' || copy === null) return 'BAD_EVENT';
    return fitData(type, copy, DEFAULT_SIZE_LIMITS);
  } catch (error) {
    return isExecstreamError(error, 'EVENT_TOO_LARGE') ? 'EVENT_TOO_LARGE' : 'BAD_EVENT';
  }
}
