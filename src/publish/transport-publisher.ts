// A publisher on a transport: begins runs, and releases them when the worker stops.
import { ASYNC_DISPOSE } from '../async/dispose.ts';
import { propertyOf } from '../event/error-message.ts';
import { invalidInput, isExecstreamError } from '../event/errors.ts';
import { EXECUTION_KINDS, type ExecutionKind } from '../event/events.ts';
import { sizeLimitsOf } from '../event/size-limits.ts';
import { createRedactor, type RedactOptions } from '../redact/redaction.ts';
import type { Logger } from '../telemetry/logger.ts';
import { resolveLogger } from '../telemetry/resolve-logger.ts';
import type { BeginRun } from './begin-run.ts';
import type { ExecutionPublisher } from './execution-publisher.ts';
import { DEFAULT_LIMITS, type PublisherLimits } from './limits.ts';
import { createNoopRun } from './noop-run.ts';
import { createRun, type Run } from './run.ts';
import { stateAfter } from './run-state.ts';
import type { Transport } from './transport.ts';

export interface PublisherSettings {
  /**
   * Any structured logger, such as pino's; `false` for none.
   * @default warnings and errors go to stderr, one line each
   */
  readonly logger?: Logger | false;
  /**
   * Limits that differ from the defaults.
   * @default DEFAULT_LIMITS
   */
  readonly limits?: Partial<PublisherLimits>;
  /**
   * Secrets to redact in addition to the built-in kinds; `false` disables redaction. Secrets are replaced by
   * `[redacted]` before anything is queued, sent, written to the row or logged.
   * @default {} (the built-in kinds)
   */
  readonly redact?: false | RedactOptions;
  /**
   * Whether `begin()` rejects, and publishing calls throw, for what cannot be published; for tests and development.
   * @default false: the log names it, the call returns false, and the work continues
   */
  readonly strict?: boolean;
}

export interface Publisher extends AsyncDisposable {
  /**
   * Begins an execution, or a new attempt of it, and its stream. Resolves within `beginMs` even if the row or the log
   * is unavailable; the run then queues events and keeps retrying.
   *
   * Never rejects, unless the publisher is `strict`. If the execution cannot begin, the run publishes nothing, and its
   * `error` says why: `BAD_USER_INPUT` for invalid input, `SUPERSEDED` for an older attempt or a second publisher of the
   * same attempt, `ENDED`, `FORBIDDEN` for an id of another tenant, `EVENT_TOO_LARGE`; over HTTP also `UNAUTHENTICATED`
   * and `NOT_FOUND`.
   * @throws ExecstreamError that error, if the publisher is `strict`
   */
  begin(run: BeginRun): Promise<ExecutionPublisher>;
  /**
   * Sends everything that the open runs have queued, within `closeMs`, and waits for pending ends: before a serverless
   * function returns, because a frozen process sends nothing.
   * @returns whether everything was sent
   */
  flush(): Promise<boolean>;
  /**
   * Sends queued events and records pending ends, within `closeMs`, then releases every run. Open runs are not ended:
   * their next attempt continues. Then closes the connections of the publisher; a `log` and a `store` of the caller stay
   * open. `await using` calls this.
   */
  close(): Promise<void>;
}

/**
 * Creates a publisher.
 * @param connect creates the transport, once the settings have been checked
 * @throws ExecstreamError `BAD_USER_INPUT` for a literal or pattern that cannot be redacted, or invalid limits
 */
export function createPublisherOn(connect: () => Transport, settings: PublisherSettings): Publisher {
  const createRedaction = createRedactor(settings.redact);
  const logger = resolveLogger(settings.logger);
  const limits = { ...DEFAULT_LIMITS, ...settings.limits };
  const sizes = sizeLimitsOf(limits.messageBytes);
  const isStrict = settings.strict ?? false;
  const transport = connect();
  const openRuns = new Set<Run>();
  let isClosed = false;

  async function begin(beginRun: BeginRun): Promise<ExecutionPublisher> {
    if (isClosed) throw invalidInput('the publisher is closed');
    const redaction = createRedaction();
    const run = createRun(beginRun, {
      transport,
      logger: resolveLogger(redaction.logger(logger)),
      limits,
      sizes,
      redaction,
      isStrict,
      onReleased: () => openRuns.delete(run),
    });
    openRuns.add(run);
    await run.begin();
    return run.publisher;
  }

  /** The run of an execution that could not begin. */
  function rejectedRun(beginRun: BeginRun, cause: unknown): ExecutionPublisher {
    const error = isExecstreamError(cause)
      ? cause
      : invalidInput('begin(): the execution cannot be read', { cause });
    const id = propertyOf(beginRun, 'id');
    const executionId = typeof id === 'string' ? id : '';
    // A queue or Temporal may repeat work whose execution has ended: that is no mistake.
    const isNeedless = error.code === 'SUPERSEDED' || error.code === 'ENDED';
    const redacting = resolveLogger(createRedaction().logger(logger));
    const fields = { executionId, err: error };
    redacting[isNeedless ? 'warn' : 'error'](fields, 'execution not begun: nothing will be published');
    const state = isClosed ? 'closed' : stateAfter(error);
    const outcome = { error, state, isEndRecorded: false } as const;
    // Work that another attempt does, or that is done, can stop. Work that cannot be published goes on.
    const signal = isNeedless ? AbortSignal.abort(error) : undefined;
    return createNoopRun({ ...labelsOf(beginRun), id: executionId, ...outcome }, signal);
  }

  async function close(): Promise<void> {
    isClosed = true;
    await Promise.all([...openRuns].map((run) => run.close()));
    await transport.close();
  }

  return {
    begin: isStrict ? begin : (beginRun) => begin(beginRun).catch((error) => rejectedRun(beginRun, error)),
    async flush() {
      const flushed = await Promise.all([...openRuns].map((run) => run.flush()));
      return flushed.every(Boolean);
    },
    close,
    [ASYNC_DISPOSE]: close,
  };
}

/** Kind, mode and attempt of what a run was to begin with, as far as they are valid. */
function labelsOf(run: BeginRun) {
  const kind = propertyOf(run, 'kind') as ExecutionKind;
  const attempt = propertyOf(run, 'attempt');
  const isStructured = propertyOf(run, 'mode') === 'STRUCTURED' || kind === 'workflow';
  return {
    kind: EXECUTION_KINDS.includes(kind) ? kind : 'task',
    mode: isStructured ? 'STRUCTURED' : 'TEXT',
    attempt: typeof attempt === 'number' ? attempt : undefined,
  } as const;
}
