// Publishes an LLM stream on a run and collects it: the part that all adapters share.
import { isExecstreamError } from '../../event/errors.ts';
import type { EventData, JsonValue, Usage } from '../../event/events.ts';
import { truncateToBytes } from '../../event/text.ts';
import type { ExecutionPublisher } from '../execution-publisher.ts';

/** Limit on the error message of a tool call that is published again without its arguments and result. */
const MAX_ERROR_BYTES = 16 * 1024;

/** A tool call by the model. */
export interface CollectedToolCall {
  readonly toolCallId: string;
  readonly toolName: string;
  /** The parsed arguments, or their text if it is not valid JSON. */
  readonly args?: JsonValue;
}

/** The content of one stream. */
export interface CollectedStream {
  readonly text: string;
  readonly toolCalls: readonly CollectedToolCall[];
  /** Of this stream. The usage of the run is the sum of all streams that were published on it. */
  readonly usage?: Usage;
  /** Why the model stopped, as its provider reports it. */
  readonly finishReason?: string;
}

export interface StreamCollector {
  /** Collects text, and publishes it if the run is of mode TEXT. */
  text(delta: unknown): Promise<void>;
  toolStarted(id: unknown, name: unknown, args: unknown): Promise<void>;
  /** @param outcome `result`, or `error` if the call failed */
  toolEnded(id: unknown, outcome: { result: unknown } | { error: unknown }): Promise<void>;
  /** Records the usage of the stream so far, in tokens. A value that is not a count is 0. */
  usage(input: unknown, output: unknown, total?: unknown): void;
  model(name: unknown): void;
  finished(reason: unknown): void;
  readonly collected: CollectedStream;
}

/** The usage of the previous streams of each run, because an agent calls its model more than once. */
const previousUsage = new WeakMap<ExecutionPublisher, Usage>();

/** Starts to collect one stream for a run. */
export function collectStream(run: ExecutionPublisher): StreamCollector {
  const previous = previousUsage.get(run) ?? NO_USAGE;
  const started = new Map<string, CollectedToolCall & { startedAt: number }>();
  const toolCalls: CollectedToolCall[] = [];
  const hasText = run.mode === 'TEXT' && run.kind !== 'workflow';
  let text = '';
  let usage: Usage | undefined;
  let model: string | undefined;
  let finishReason: string | undefined;

  async function publishToolCall(call: EventData['tool_call']): Promise<void> {
    try {
      await run.toolCall(call);
    } catch (error) {
      if (!isExecstreamError(error)) throw error;
      // Publishing must not fail the work: arguments and results that are not JSON are omitted, and a long error is
      // truncated.
      const { args: _, result: __, ...bare } = call;
      await run.toolCall({
        ...bare,
        ...(bare.error && { error: truncateToBytes(bare.error, MAX_ERROR_BYTES) }),
      });
    }
  }

  return {
    async text(delta) {
      if (typeof delta !== 'string' || delta === '') return;
      text += delta;
      if (hasText) await run.text(delta);
    },
    async toolStarted(id, name, args) {
      const toolCallId = nonEmpty(id, `call-${started.size + 1}`);
      if (started.has(toolCallId)) return;
      const call = {
        toolCallId,
        toolName: nonEmpty(name, 'tool'),
        ...(args !== undefined && { args: parseArgs(args) }),
      };
      started.set(toolCallId, { ...call, startedAt: performance.now() });
      toolCalls.push(call);
      await publishToolCall({ ...call, status: 'started' });
    },
    async toolEnded(id, outcome) {
      const call = started.get(nonEmpty(id, ''));
      if (!call) return;
      const { toolCallId, toolName, startedAt } = call;
      const ended = { toolCallId, toolName, durationMs: Math.round(performance.now() - startedAt) };
      if ('error' in outcome) {
        const error = toError(outcome.error, 'the tool failed').message;
        await publishToolCall({ ...ended, status: 'failed', error });
      } else await publishToolCall({ ...ended, status: 'succeeded', result: outcome.result as JsonValue });
    },
    usage(input, output, total) {
      const [inputTokens, outputTokens] = [count(input), count(output)];
      usage = { inputTokens, outputTokens, totalTokens: count(total) || inputTokens + outputTokens };
      if (usage.totalTokens === 0) return;
      const sum = addUsage(previous, usage);
      previousUsage.set(run, sum);
      void run.usage(model === undefined ? sum : { ...sum, model });
    },
    model(name) {
      if (typeof name === 'string' && name !== '') model = name;
    },
    finished(reason) {
      if (typeof reason === 'string') finishReason = reason;
    },
    get collected() {
      const total = usage && model !== undefined ? { ...usage, model } : usage;
      return { text, toolCalls, ...(total && { usage: total }), ...(finishReason && { finishReason }) };
    },
  };
}

const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };

function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    totalTokens: a.totalTokens + b.totalTokens,
  };
}

/** A number of tokens; 0 if the value is not a count. */
export function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

/** A field of a value; undefined if the value is not an object. */
export function field(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? (of as Record<string, unknown>)[name] : undefined;
}

/** An error from a stream: an Error, a string, or an object with a message. */
export function toError(reported: unknown, fallback: string): Error {
  if (reported instanceof Error) return reported;
  const message = typeof reported === 'string' ? reported : field(reported, 'message');
  const error = new Error(typeof message === 'string' && message !== '' ? message : fallback);
  const code = field(reported, 'code') ?? field(reported, 'type');
  return typeof code === 'string' ? Object.assign(error, { code }) : error;
}

function parseArgs(args: unknown): JsonValue {
  if (typeof args !== 'string') return args as JsonValue;
  try {
    return JSON.parse(args === '' ? '{}' : args);
  } catch {
    // The model may generate invalid JSON; the tool then reports it.
    return args;
  }
}

function nonEmpty(value: unknown, fallback: string): string {
  return typeof value === 'string' && value !== '' ? value : fallback;
}
