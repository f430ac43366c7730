// A run that publishes nothing: its execution has ended, and the work is done once more for Temporal's sake alone.
import type { ExecutionKind, ExecutionMode } from '../../event/events.ts';
import type { ExecutionPublisher } from '../../publish/execution-publisher.ts';

export interface MuteRun {
  readonly id: string;
  readonly kind: ExecutionKind;
  readonly mode: ExecutionMode;
  readonly attempt: number;
}

export function createMuteRun(run: MuteRun): ExecutionPublisher {
  const nothing = async (): Promise<void> => {};
  const recorded = async (): Promise<boolean> => true;
  return {
    ...run,
    state: 'ended',
    signal: new AbortController().signal,
    stats: { appended: 0, dropped: 0, refused: 0, ignored: 0, queuedBytes: 0, redacted: {} },
    async text(text) {
      // Read to its end all the same: the work may hang on what its iterable does.
      if (typeof text !== 'string') for await (const _ of text);
    },
    textInPieces: nothing,
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
