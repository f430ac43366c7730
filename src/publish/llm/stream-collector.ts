// Publishes an LLM stream on a run and collects it: the part that all adapters share.
import { isExecstreamError } from '../../event/errors.ts';
import type { Usage } from '../../event/events.ts';
import type { ExecutionPublisher } from '../execution-publisher.ts';
import { count } from './fields.ts';
import {
  type CollectedToolCall,
  type ReportedCall,
  type RunToolCalls,
  type ToolCallTarget,
  type ToolOutcome,
  toolCallsOf,
} from './tool-calls.ts';

/** The content of one stream. */
export interface CollectedStream {
  readonly text: string;
  readonly toolCalls: readonly CollectedToolCall[];
  /** Of this stream. The usage of the run is the sum of all streams that were published on it. */
  readonly usage?: Usage;
  /** Why the model stopped, as its provider reports it. */
  readonly finishReason?: string;
}

/** What a collector needs of a run; an ExecutionPublisher is one. */
export interface StreamTarget extends Pick<ExecutionPublisher, 'kind' | 'mode'>, ToolCallTarget {
  text(delta: string): Promise<unknown>;
  usage(usage: Usage): Promise<unknown>;
}

/** Takes in the parts of one stream, in order. */
export interface PartReader {
  read(part: { readonly type: string }): Promise<void>;
  /** What the stream failed with, as one of its parts reports. */
  readonly failure: Error | undefined;
  /** Whether the model finished. */
  readonly isFinished: boolean;
}

export interface StreamCollector {
  /** Collects text, and publishes it if the run is of mode TEXT. */
  text(delta: unknown): Promise<void>;
  toolStarted(call: ReportedCall): Promise<void>;
  /** Whether a call with this id has started on the run and not ended. */
  isOpen(id: unknown): boolean;
  toolEnded(call: ReportedCall, outcome: ToolOutcome): Promise<void>;
  /** Records the usage of the stream so far, in tokens. A value that is not a count is 0. */
  usage(input: unknown, output: unknown, total?: unknown): void;
  model(name: unknown): void;
  finished(reason: unknown): void;
  readonly collected: CollectedStream;
}

/** The usage of the previous streams of each run, because an agent calls its model more than once. */
const previousUsage = new WeakMap<StreamTarget, Usage>();

/**
 * Starts to collect one stream for a run.
 * @param calls the tool calls of the run, by default those of its other streams
 */
export function collectStream(run: StreamTarget, calls: RunToolCalls = toolCallsOf(run)): StreamCollector {
  const previous = previousUsage.get(run) ?? NO_USAGE;
  const toolCalls: CollectedToolCall[] = [];
  const hasText = run.mode === 'TEXT' && run.kind !== 'workflow';
  let text = '';
  let usage: Usage | undefined;
  let model: string | undefined;
  let finishReason: string | undefined;

  return {
    async text(delta) {
      if (typeof delta !== 'string' || delta === '') return;
      text += delta;
      if (hasText) await run.text(delta);
    },
    async toolStarted(call) {
      toolCalls.push(await calls.start(call));
    },
    isOpen: calls.isOpen,
    toolEnded: calls.end,
    usage(input, output, total) {
      const [inputTokens, outputTokens] = [count(input), count(output)];
      usage = { inputTokens, outputTokens, totalTokens: count(total) || inputTokens + outputTokens };
      if (usage.totalTokens === 0) return;
      const sum = addUsage(previous, usage);
      previousUsage.set(run, sum);
      try {
        void run.usage(model === undefined ? sum : { ...sum, model });
      } catch (error) {
        // Publishing must not fail the work: counts that the run does not take are left out.
        if (!isExecstreamError(error)) throw error;
      }
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
