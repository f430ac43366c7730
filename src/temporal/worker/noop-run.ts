// A run that publishes nothing: its execution has ended, and the work is done once more for Temporal's sake alone.
import type { ExecutionKind, ExecutionMode } from '../../event/events.ts';
import type { ExecutionPublisher } from '../../publish/execution-publisher.ts';

export interface NoopRun {
  readonly id: string;
  readonly kind: ExecutionKind;
  readonly mode: ExecutionMode;
  readonly attempt: number;
}

export function createNoopRun(run: NoopRun): ExecutionPublisher {
  const nothing = async (): Promise<void> => {};
  const recorded = async (): Promise<boolean> => true;
  return {
    ...run,
    state: 'ended',
    signal: new AbortController().signal,
    stats: { appended: 0, dropped: 0, rejected: 0, late: 0, queuedBytes: 0, redacted: {} },
    async text(text) {
      // Read to its end all the same: the work may hang on what its iterable does.
      if (typeof text !== 'string') for await (const _ of text);
    },
    simulateText: nothing,
    value: nothing,
    toolCall: nothing,
    status: nothing,
    usage: nothing,
    warning: nothing,
    emit: nothing,
    complete: recorded,
    fail: recorded,
    abandon: nothing,
  };
}
