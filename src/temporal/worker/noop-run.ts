// A run that publishes nothing: the execution has already ended, and Temporal retries the activity.
import type { ExecutionKind, ExecutionMode } from '../../event/events.ts';
import type { ExecutionPublisher } from '../../publish/execution-publisher.ts';

export interface NoopRun {
  readonly id: string;
  readonly kind: ExecutionKind;
  readonly mode: ExecutionMode;
  readonly attempt: number;
}

export function createNoopRun(run: NoopRun): ExecutionPublisher {
  const ignore = async (): Promise<void> => {};
  const isRecorded = async (): Promise<boolean> => true;
  return {
    ...run,
    state: 'ended',
    signal: new AbortController().signal,
    stats: { appended: 0, dropped: 0, rejected: 0, late: 0, queuedBytes: 0, redacted: {} },
    async text(text) {
      // Read to its end, because the work may depend on the side effects of its iterable.
      if (typeof text !== 'string') for await (const _ of text);
    },
    simulateText: ignore,
    value: ignore,
    toolCall: ignore,
    status: ignore,
    usage: ignore,
    warning: ignore,
    emit: ignore,
    complete: isRecorded,
    fail: isRecorded,
    abandon: ignore,
  };
}
