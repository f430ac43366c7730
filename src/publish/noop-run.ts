// A run that publishes nothing: its execution could not begin, or has already ended.
import type { ExecstreamError } from '../event/errors.ts';
import type { ExecutionKind, ExecutionMode } from '../event/events.ts';
import type { ExecutionPublisher } from './execution-publisher.ts';
import type { RunState } from './run-state.ts';

export interface NoopRun {
  readonly id: string;
  readonly kind: ExecutionKind;
  readonly mode: ExecutionMode;
  readonly attempt: number | undefined;
  readonly state: Exclude<RunState, 'open' | 'ending'>;
  /** Why it publishes nothing. */
  readonly error?: ExecstreamError;
  /** What `complete()` and `fail()` return: whether the execution has ended as far as this work is concerned. */
  readonly isEndRecorded: boolean;
}

/** @param signal by default one that never aborts */
export function createNoopRun(
  { isEndRecorded, error, ...run }: NoopRun,
  signal: AbortSignal = new AbortController().signal,
): ExecutionPublisher {
  const counts = { appended: 0, dropped: 0, rejected: 0, queuedBytes: 0, redacted: {} };
  let late = 0;
  const ignore = async (): Promise<boolean> => {
    late += 1;
    return false;
  };
  const end = async (): Promise<boolean> => {
    late += 1;
    return isEndRecorded;
  };
  return {
    ...run,
    error,
    signal,
    get stats() {
      return { ...counts, late };
    },
    async text(text) {
      // Read to its end, because the work may depend on the side effects of its iterable.
      if (isAsyncIterable(text)) for await (const _ of text);
      return ignore();
    },
    simulateText: ignore,
    value: ignore,
    toolCall: ignore,
    status: ignore,
    usage: ignore,
    warning: ignore,
    emit: ignore,
    flush: async () => false,
    complete: end,
    fail: end,
    abandon: async () => void (await ignore()),
  };
}

/** Whether a value of the caller can be read with `for await`; false for an object whose property throws. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<string> {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return Symbol.asyncIterator in value || Symbol.iterator in value;
  } catch {
    return false;
  }
}
