// One run of an execution: its public API, put together from the calls, and what its publisher needs of it.
import { type BeginRun, prepareRun } from './begin-run.ts';
import { createContentCalls } from './content-calls.ts';
import { createEndCalls } from './end-calls.ts';
import { createEventCalls } from './event-calls.ts';
import type { ExecutionPublisher } from './execution-publisher.ts';
import { createRunContext, type RunOptions } from './run-context.ts';

export interface Run {
  /** The API for the caller. */
  readonly publisher: ExecutionPublisher;
  /** See `Lifecycle.begin`. */
  begin(): Promise<void>;
  /** See `ExecutionPublisher.flush`. */
  flush(): Promise<boolean>;
  /** Sends the queued events, within `closeMs`, and records no end. */
  close(): Promise<void>;
}

/**
 * Creates a run that has not begun.
 * @throws ExecstreamError see `prepareRun`.
 */
export function createRun(beginRun: BeginRun, options: RunOptions): Run {
  const { execution, startEvent } = prepareRun(beginRun, options.redaction, options.sizes);
  const context = createRunContext(execution, startEvent, options);
  const { lifecycle, content } = context;
  const { text, simulateText, value } = createContentCalls(context);
  const events = createEventCalls(context);
  const { complete, fail, abandon } = createEndCalls(context, () => events.lastUsage);
  const { toolCall, status, usage, warning, emit } = events;

  function flush(): Promise<boolean> {
    if (lifecycle.state === 'open') content.flush();
    return lifecycle.flush();
  }

  const publisher: ExecutionPublisher = {
    id: context.id,
    kind: context.kind,
    mode: context.mode,
    signal: lifecycle.signal,
    get state() {
      return lifecycle.state;
    },
    get error() {
      return lifecycle.error;
    },
    get attempt() {
      return lifecycle.attempt;
    },
    get stats() {
      return context.stats;
    },
    text,
    simulateText,
    value,
    toolCall,
    status,
    usage,
    warning,
    emit,
    flush,
    complete,
    fail,
    abandon,
  };
  return {
    publisher,
    begin: lifecycle.begin,
    flush,
    close() {
      if (lifecycle.state === 'open') content.end();
      return lifecycle.leave('closed');
    },
  };
}
