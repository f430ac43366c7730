// What the calls of one run share: its content, its lifecycle, and the counts of calls that were late or rejected.
// Redaction comes first: nothing after it (the retained content, the outbox, the row, log lines) contains a secret.
import { isExecstreamError } from '../event/errors.ts';
import type { ExecutionKind, ExecutionMode, NewEvent } from '../event/events.ts';
import { timestamp } from '../event/events.ts';
import type { SizeLimits } from '../event/size-limits.ts';
import type { BeginExecution } from '../execution/store.ts';
import type { Redaction } from '../redact/redaction.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createContent, type RunContent } from './content.ts';
import type { RunStats } from './execution-publisher.ts';
import { createGuard, type Guard } from './guard.ts';
import { createLifecycle, type Lifecycle } from './lifecycle.ts';
import type { PublisherLimits } from './limits.ts';
import type { Transport } from './transport.ts';

export interface RunOptions {
  readonly transport: Transport;
  readonly limits: PublisherLimits;
  /** What `limits.messageBytes` amounts to. */
  readonly sizes: SizeLimits;
  readonly logger: Logger;
  readonly redaction: Redaction;
  /** Whether calls throw for what cannot be published. */
  readonly isStrict: boolean;
  onReleased(): void;
}

export interface RunContext {
  readonly id: string;
  readonly kind: ExecutionKind;
  readonly mode: ExecutionMode;
  readonly content: RunContent;
  readonly lifecycle: Lifecycle;
  readonly redaction: Redaction;
  readonly logger: Logger;
  readonly sizes: SizeLimits;
  readonly stats: RunStats;
  /** Makes a publishing call. */
  readonly guard: Guard;
  /** Whether the run is no longer open. Counts the call as late if so. */
  isLate(): boolean;
  /** Queues an event after the text that is held back. */
  push(event: NewEvent): void;
  /** Resolves to true when there is room for more, see `Outbox.room`: the result of a call that has published. */
  accepted(): Promise<true>;
  /**
   * Rejects an event that is too large: counts it and publishes a `warning` in its place.
   * @throws the error
   */
  rejectTooLarge(error: Error): never;
}

/** Creates the context of a run that has not begun. */
export function createRunContext(
  execution: BeginExecution,
  startEvent: NewEvent,
  options: RunOptions,
): RunContext {
  const { redaction, logger, limits, sizes } = options;
  const { id, kind, mode } = execution;
  let late = 0;
  let rejected = 0;
  const content = createContent({
    mode,
    limits,
    sizes,
    redaction,
    push: (event, noMerge) => lifecycle.outbox.push(event, noMerge),
    onTooLarge: () => {
      rejected += 1;
    },
  });
  const lifecycle = createLifecycle({
    ...options,
    ...options.transport.connect(execution, startEvent),
    execution,
    startEvent,
    resendEvents: (queuedUnits) => content.resendEvents(queuedUnits),
  });
  const { outbox } = lifecycle;
  const guard = createGuard({
    isStrict: options.isStrict,
    logger,
    executionId: id,
    onRejected(error) {
      // Counted with its warning.
      if (!isExecstreamError(error, 'EVENT_TOO_LARGE')) rejected += 1;
    },
  });

  function push(event: NewEvent): void {
    content.pause();
    outbox.push(event);
  }

  return {
    id,
    kind,
    mode,
    content,
    lifecycle,
    redaction,
    logger,
    sizes,
    get stats() {
      const { appended, dropped, bytes: queuedBytes } = outbox;
      return { appended, dropped, rejected, late, queuedBytes, redacted: redaction.counts };
    },
    isLate() {
      if (lifecycle.state === 'open') return false;
      late += 1;
      return true;
    },
    push,
    guard,
    accepted: async () => {
      await outbox.room();
      return true;
    },
    rejectTooLarge(error) {
      rejected += 1;
      const data = { code: 'EVENT_TOO_LARGE', message: error.message };
      push({ type: 'warning', ts: timestamp(), data });
      throw error;
    },
  };
}
