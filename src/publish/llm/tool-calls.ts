// The tool calls that adapters publish on a run. They belong to the run and not to one of its streams: a call of one
// stream may end in the next one, after it was approved, and providers may use the same id again.
import { isExecstreamError } from '../../event/errors.ts';
import type { EventData, JsonValue } from '../../event/events.ts';
import { parseExactly } from '../../event/json-integers.ts';
import { truncateToBytes } from '../../event/text.ts';
import type { RunState } from '../run-state.ts';
import { nameIn } from './fields.ts';
import { toError } from './stream-errors.ts';

/** Limit on the error message of a tool call that is published again without its arguments and result. */
const MAX_ERROR_BYTES = 16 * 1024;

/** Limit on published ids, in UTF-16 code units. Some proxies put signatures of several KB into the ids of calls. */
const MAX_ID_UNITS = 200;

/** A tool call by the model. */
export interface CollectedToolCall {
  /** The id in the stream of the run: the model's, unless that is missing, longer than 200, or was used before. */
  readonly toolCallId: string;
  /** The id that the model gave, with which it expects the result; absent if it gave none. */
  readonly modelCallId?: string;
  readonly toolName: string;
  /** The parsed arguments, or their text if it is not valid JSON. */
  readonly args?: JsonValue;
}

/** What a call returned, or why it failed. */
export type ToolOutcome = { readonly result: unknown } | { readonly error: unknown };

/** A call as a provider reports it. */
export interface ReportedCall {
  readonly id: unknown;
  readonly name: unknown;
  readonly args?: unknown;
}

export interface RunToolCalls {
  /** Publishes the start of a call. An id that was used before gets a number, so that viewers keep both calls. */
  start(call: ReportedCall): Promise<CollectedToolCall>;
  /** Whether a call with this id has started and not ended. */
  isOpen(id: unknown): boolean;
  /**
   * Publishes the end of the last call with this id, once. A call that another run has started is started here, too.
   * Its arguments are published with its end if they were not known at its start.
   */
  end(call: ReportedCall, outcome: ToolOutcome): Promise<void>;
}

/** Where tool calls are published; an ExecutionPublisher is one. */
export interface ToolCallTarget {
  /** Returns false for a call that is not published. */
  toolCall(call: EventData['tool_call']): Promise<unknown>;
  readonly state?: RunState;
}

interface Call extends CollectedToolCall {
  readonly startedAt: number;
  hasEnded: boolean;
}

const callsOfRuns = new WeakMap<ToolCallTarget, RunToolCalls>();

/** The tool calls of a run, which all streams on it share. */
export function toolCallsOf(run: ToolCallTarget): RunToolCalls {
  const calls = callsOfRuns.get(run) ?? createToolCalls(run);
  callsOfRuns.set(run, calls);
  return calls;
}

function createToolCalls(run: ToolCallTarget): RunToolCalls {
  /** The last call by the id that the provider gave it. */
  const lastCalls = new Map<string, Call>();
  const usedIds = new Set<string>();

  function uniqueId(id: string): string {
    const prefix = id.slice(0, MAX_ID_UNITS) || 'call';
    let unique = id.slice(0, MAX_ID_UNITS);
    for (let n = id === '' ? 1 : 2; unique === '' || usedIds.has(unique); n += 1) unique = `${prefix}-${n}`;
    usedIds.add(unique);
    return unique;
  }

  async function start({ id, name, args }: ReportedCall): Promise<Call> {
    const call: Call = {
      toolCallId: uniqueId(nameIn(id)),
      ...(nameIn(id) !== '' && { modelCallId: nameIn(id) }),
      toolName: nameIn(name) || 'tool',
      ...(args !== undefined && { args: args as JsonValue }),
      startedAt: performance.now(),
      hasEnded: false,
    };
    lastCalls.set(nameIn(id) || call.toolCallId, call);
    const { toolCallId, toolName } = call;
    await publish(run, {
      toolCallId,
      toolName,
      ...(args !== undefined && { args: call.args }),
      status: 'started',
    });
    return call;
  }

  return {
    async start(reported) {
      const { startedAt: _, hasEnded: __, ...call } = await start(reported);
      return call;
    },
    isOpen: (id) => lastCalls.get(nameIn(id))?.hasEnded === false,
    async end(reported, outcome) {
      if (nameIn(reported.id) === '') return;
      const call = lastCalls.get(nameIn(reported.id)) ?? (await start(reported));
      if (call.hasEnded) return;
      call.hasEnded = true;
      const { toolCallId, toolName, startedAt } = call;
      const isNews = call.args === undefined && reported.args !== undefined;
      const ended = {
        toolCallId,
        toolName,
        ...(isNews && { args: reported.args as JsonValue }),
        durationMs: Math.round(performance.now() - startedAt),
      };
      if ('error' in outcome) {
        const error = toError(outcome.error, 'the tool failed').message || 'the tool failed';
        await publish(run, { ...ended, status: 'failed', error });
      } else await publish(run, { ...ended, status: 'succeeded', result: outcome.result as JsonValue });
    },
  };
}

async function publish(run: ToolCallTarget, call: EventData['tool_call']): Promise<void> {
  if (await tryPublish(run, call)) return;
  // Publishing must not fail the work: arguments and results that are not JSON are omitted, and a long error is truncated.
  const { toolCallId, toolName, status, error: message } = call;
  await run.toolCall({
    toolCallId,
    toolName,
    status,
    ...(message && { error: truncateToBytes(message, MAX_ERROR_BYTES) }),
  });
}

/** @returns false for a call that cannot be published; one that comes too late needs no other */
async function tryPublish(run: ToolCallTarget, call: EventData['tool_call']): Promise<boolean> {
  try {
    return (await run.toolCall(call)) !== false || run.state !== 'open';
  } catch (error) {
    // Of a strict publisher.
    if (!isExecstreamError(error)) throw error;
    return false;
  }
}

/** The arguments that a model wrote as JSON; their text if it is not valid, which the tool then reports. */
export function parseArguments(json: string): JsonValue {
  try {
    return parseExactly(json.trim() === '' ? '{}' : json);
  } catch {
    return json;
  }
}

/** The error of a call that was not approved. */
export function denialOf(reason: unknown): string {
  return typeof reason === 'string' && reason !== '' ? `not approved: ${reason}` : 'not approved';
}
