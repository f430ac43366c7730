// What an LLM's stream says, published on a run and gathered: the part that all SDKs' shapes share.
import { isExecstreamError } from '../../event/errors.ts';
import type { EventData, JsonValue, Usage } from '../../event/events.ts';
import type { ExecutionPublisher } from '../execution-publisher.ts';

/** A tool call that the model made. */
export interface CollectedToolCall {
  readonly toolCallId: string;
  readonly toolName: string;
  /** Parsed; the text itself where it is no JSON. */
  readonly args?: JsonValue;
}

/** What one stream gave. */
export interface CollectedStream {
  readonly text: string;
  readonly toolCalls: readonly CollectedToolCall[];
  /** Of this stream; the run's usage is the sum of all that were published on it. */
  readonly usage?: Usage;
  /** Why the model stopped, in its provider's words. */
  readonly finishReason?: string;
}

export interface StreamCollector {
  /** Publishes text where the run is of mode TEXT, and gathers it in any case. */
  text(delta: unknown): Promise<void>;
  toolStarted(id: unknown, name: unknown, args: unknown): Promise<void>;
  /** @param outcome `result`, or `error` for a call that failed. */
  toolEnded(id: unknown, outcome: { result: unknown } | { error: unknown }): Promise<void>;
  /** Notes what the stream has used so far, in tokens; what is no count counts as none. */
  usage(input: unknown, output: unknown, total?: unknown): void;
  model(name: unknown): void;
  finished(reason: unknown): void;
  readonly gathered: CollectedStream;
}

/** What the streams before used, by run: an agent asks its model more than once. */
const usedBefore = new WeakMap<ExecutionPublisher, Usage>();

/** Begins to gather one stream for a run. */
export function collectStream(run: ExecutionPublisher): StreamCollector {
  const before = usedBefore.get(run) ?? NOTHING;
  const started = new Map<string, CollectedToolCall & { at: number }>();
  const toolCalls: CollectedToolCall[] = [];
  const hasText = run.mode === 'TEXT' && run.kind !== 'workflow';
  let text = '';
  let usage: Usage | undefined;
  let model: string | undefined;
  let finishReason: string | undefined;

  /** Publishing never fails the work: what is too large or no JSON is left out of the event. */
  async function toolCall(call: EventData['tool_call']): Promise<void> {
    try {
      await run.toolCall(call);
    } catch (error) {
      if (!isExecstreamError(error)) throw error;
      const { args: _, result: __, ...bare } = call;
      await run.toolCall({ ...bare, ...(bare.error && { error: bare.error.slice(0, 8_000) }) });
    }
  }

  return {
    async text(delta) {
      if (typeof delta !== 'string' || delta === '') return;
      text += delta;
      if (hasText) await run.text(delta);
    },
    async toolStarted(id, name, args) {
      const toolCallId = word(id, `call-${started.size + 1}`);
      if (started.has(toolCallId)) return;
      const call = {
        toolCallId,
        toolName: word(name, 'tool'),
        ...(args !== undefined && { args: parsed(args) }),
      };
      started.set(toolCallId, { ...call, at: performance.now() });
      toolCalls.push(call);
      await toolCall({ ...call, status: 'started' });
    },
    async toolEnded(id, outcome) {
      const call = started.get(word(id, ''));
      if (!call) return;
      const { toolCallId, toolName, at } = call;
      const ended = { toolCallId, toolName, durationMs: Math.round(performance.now() - at) };
      if ('error' in outcome) {
        const error = toError(outcome.error, 'the tool failed').message;
        await toolCall({ ...ended, status: 'failed', error });
      } else await toolCall({ ...ended, status: 'succeeded', result: outcome.result as JsonValue });
    },
    usage(input, output, total) {
      const [inputTokens, outputTokens] = [count(input), count(output)];
      usage = { inputTokens, outputTokens, totalTokens: count(total) || inputTokens + outputTokens };
      if (usage.totalTokens === 0) return;
      const all = sum(before, usage);
      usedBefore.set(run, all);
      void run.usage(model === undefined ? all : { ...all, model });
    },
    model(name) {
      if (typeof name === 'string' && name !== '') model = name;
    },
    finished(reason) {
      if (typeof reason === 'string') finishReason = reason;
    },
    get gathered() {
      const used = usage && model !== undefined ? { ...usage, model } : usage;
      return { text, toolCalls, ...(used && { usage: used }), ...(finishReason && { finishReason }) };
    },
  };
}

const NOTHING: Usage = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };

function sum(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    totalTokens: a.totalTokens + b.totalTokens,
  };
}

/** Tokens; 0 for what is no count. */
export function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

/** An object's field, whatever the object is. */
export function field(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? (of as Record<string, unknown>)[name] : undefined;
}

/** An error as a stream tells it: an Error, a text, or an object with a message. */
export function toError(told: unknown, otherwise: string): Error {
  if (told instanceof Error) return told;
  const message = typeof told === 'string' ? told : field(told, 'message');
  const error = new Error(typeof message === 'string' && message !== '' ? message : otherwise);
  const code = field(told, 'code') ?? field(told, 'type');
  return typeof code === 'string' ? Object.assign(error, { code }) : error;
}

function parsed(args: unknown): JsonValue {
  if (typeof args !== 'string') return args as JsonValue;
  try {
    return JSON.parse(args === '' ? '{}' : args);
  } catch {
    return args;
  }
}

function word(value: unknown, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value : otherwise;
}
