// One run, behind its public face: every call checked, redacted, folded into what is held, and put into the outbox.
// Redaction comes first: nothing behind it (what is held, the outbox, the row, the logs) ever has a secret.

import { delay } from '../async/delay.ts';
import { invalidInput, isExecstreamError, messageOf } from '../event/errors.ts';
import {
  CATALOGUE,
  type EventData,
  type EventType,
  type ExecutionMode,
  type JsonValue,
  MAX_DATA_BYTES,
  type NewEvent,
  type OpenStatus,
  timestamp,
  type Usage,
} from '../event/events.ts';
import { copyJson, jsonBytes, tooLarge } from '../event/json.ts';
import { splitText } from '../event/text.ts';
import { checkEventData } from '../event/validation.ts';
import type { ExecutionEnd, ExecutionStore } from '../execution/store.ts';
import type { LogWriter } from '../log/log.ts';
import type { Redaction } from '../redact/redaction.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type BeginRun, prepareRun } from './begin-run.ts';
import { createContent } from './content.ts';
import type { ExecutionPublisher } from './execution-publisher.ts';
import { createLifecycle } from './lifecycle.ts';
import type { PublisherLimits } from './limits.ts';
import { resolveSimulatedText, type SimulatedTextOptions, splitIntoChunks } from './simulated-chunks.ts';

const NOT_EMITTED: Partial<Record<EventType, string>> = {
  complete: 'call complete()',
  error: 'call fail()',
  reset: 'the publisher writes it itself',
  gap: 'a server makes it',
  llm_chunk: 'call text()',
  structured_delta: 'call value()',
};

export interface RunOptions {
  readonly log: LogWriter;
  readonly store: ExecutionStore;
  readonly limits: PublisherLimits;
  readonly logger: Logger;
  readonly redaction: Redaction;
  onReleased(): void;
}

/** Makes a run that has not begun; `begin` and `close` are the publisher's. */
export function createRun(wanted: BeginRun, { onReleased, redaction, ...options }: RunOptions) {
  const { execution, startEvent } = prepareRun(wanted, redaction);
  const { id, kind, mode } = execution;
  const { logger } = options;
  const content = createContent({
    mode,
    limits: options.limits,
    redaction,
    push: (event, apart) => outbox.push(event, apart),
    onNotWhole: (err) => logger.warn({ executionId: id, err }, 'the last value was not published whole'),
  });
  let lastUsage: Usage | undefined;
  let lastStatus: OpenStatus = 'RUNNING';
  let ignored = 0;
  let refused = 0;

  const life = createLifecycle({
    ...options,
    execution,
    startEvent,
    resendEvents: (queuedUnits) => content.again(queuedUnits),
    onReleased,
  });
  const { outbox } = life;

  /** Counts a call that came too late. */
  function isLate(): boolean {
    if (life.state === 'open') return false;
    ignored += 1;
    return true;
  }

  function push(event: NewEvent): void {
    content.pause();
    outbox.push(event);
  }

  function refuse(error: Error): never {
    refused += 1;
    push({ type: 'warning', ts: timestamp(), data: { code: 'EVENT_TOO_LARGE', message: error.message } });
    throw error;
  }

  function publish<T extends EventType>(type: T, data: EventData[T]): Promise<void> {
    const raw = copyJson(data, type);
    checkEventData(type, raw);
    if (isLate()) return Promise.resolve();
    const copy = redaction.json(raw);
    const bytes = jsonBytes(copy);
    if (bytes > MAX_DATA_BYTES) refuse(tooLarge(type, bytes));
    push({ type, ts: timestamp(), data: copy } as NewEvent);
    return outbox.room();
  }

  function emit<T extends EventType>(type: T, data: EventData[T]): Promise<void> {
    if (!Object.hasOwn(CATALOGUE, type)) throw invalidInput(`"${type}" is not an event type`);
    if (!CATALOGUE[type].includes(kind))
      throw invalidInput(`${type} does not occur in the stream of kind ${kind}`);
    if (NOT_EMITTED[type]) throw invalidInput(`${type} cannot be emitted: ${NOT_EMITTED[type]}`);
    return publish(type, data);
  }

  function needMode(needed: ExecutionMode, call: string): void {
    if (kind === 'workflow')
      throw invalidInput(`${call} is for agents and tasks; a workflow has neither text nor value`);
    if (mode !== needed) throw invalidInput(`${call} needs mode ${needed}; this run's is ${mode}`);
  }

  function addText(text: string, apart = false): Promise<void> {
    if (typeof text !== 'string') throw invalidInput(`text() takes strings, not ${typeof text}`);
    if (isLate()) return Promise.resolve();
    content.addText(text, apart);
    return outbox.room();
  }

  async function addChunks(text: string, options: SimulatedTextOptions): Promise<void> {
    if (typeof text !== 'string') {
      throw invalidInput(`simulateText(): expected a string, got ${typeof text}`);
    }
    const { delayMs } = resolveSimulatedText(options);
    for (const [i, chunk] of splitIntoChunks(text, options).entries()) {
      if (i > 0 && delayMs > 0 && life.state === 'open') await delay(delayMs, life.signal, true);
      // The rest of the text counts as one late call.
      if (life.state !== 'open') return void isLate();
      await addText(chunk, true);
    }
  }

  async function addAll(texts: AsyncIterable<string>): Promise<void> {
    for await (const text of texts) await addText(text);
  }

  function statusEvent(status: OpenStatus, step?: string): Promise<void> {
    const data = { status, ...(step !== undefined && { step }) };
    if (kind === 'agent') return publish('agent_status', data);
    if (kind === 'task') return publish('task_status', data);
    return publish('workflow_status', { ...data, ...(lastUsage && { usage: lastUsage }) });
  }

  /** The given result, or else the text or value that was published; says where there is none to keep. */
  function successWith(given: unknown): ExecutionEnd {
    const status = 'SUCCESS';
    if (given === undefined && kind === 'workflow') return { status };
    const result = given === undefined ? content.result() : jsonResult(given);
    return result === undefined ? { status, resultOmitted: true } : { status, result };
  }

  function jsonResult(given: unknown): JsonValue | undefined {
    try {
      return redaction.json(copyJson(given as JsonValue, 'result'));
    } catch (err) {
      // The work is done, and a retry would not make its result JSON: the end is recorded without it.
      logger.error({ executionId: id, err }, 'the result is not JSON and was omitted');
      return undefined;
    }
  }

  function end(how: ExecutionEnd): Promise<boolean> {
    if (!isLate()) content.end();
    return life.end(lastUsage ? { ...how, usage: lastUsage } : how);
  }

  const run: ExecutionPublisher = {
    id,
    kind,
    mode,
    signal: life.signal,
    get state() {
      return life.state;
    },
    get attempt() {
      return life.attempt;
    },
    get stats() {
      const { appended, dropped, bytes } = outbox;
      return {
        appended,
        dropped,
        rejected: refused,
        late: ignored,
        queuedBytes: bytes,
        redacted: redaction.counts,
      };
    },
    text(text) {
      needMode('TEXT', 'text()');
      return typeof text === 'object' && text !== null ? addAll(text) : addText(text);
    },
    async simulateText(text, options = {}) {
      needMode('TEXT', 'simulateText()');
      await addChunks(text, options);
    },
    value(partial) {
      needMode('STRUCTURED', 'value()');
      const value = copyJson(partial as JsonValue, 'value');
      if (value === undefined || isLate()) return Promise.resolve();
      try {
        content.setValue(value);
      } catch (error) {
        if (isExecstreamError(error, 'EVENT_TOO_LARGE')) refuse(error);
        throw invalidInput(`value could not be compared with the one before: ${messageOf(error)}`);
      }
      return outbox.room();
    },
    toolCall: (call) => publish('tool_call', call),
    status(status, step) {
      if (!OPEN_STATUSES.includes(status))
        throw invalidInput(`status ${status} is not an open one; end by complete() or fail()`);
      const published = statusEvent(status, step);
      if (life.state === 'open' && status !== lastStatus) life.setStatus(status);
      lastStatus = status;
      return published;
    },
    usage(usage) {
      const copy = copyJson(usage, 'usage');
      if (isLate()) return Promise.resolve();
      lastUsage = redaction.json(copy);
      return kind === 'workflow' ? statusEvent(lastStatus) : Promise.resolve();
    },
    warning: (code, message) => publish('warning', { code, message }),
    emit,
    async complete(given) {
      if (life.state === 'open') content.end();
      return end(successWith(given));
    },
    async fail(error, how = {}) {
      const own = (error as { code?: unknown } | null | undefined)?.code;
      const code = how.code ?? (typeof own === 'string' ? own : undefined);
      const failure = redaction.json({ message: messageOf(error), ...(code !== undefined && { code }) });
      return end({ status: how.status ?? 'FAILED', error: failure });
    },
    async abandon(error) {
      if (isLate()) return;
      const data = {
        code: 'ATTEMPT_FAILED',
        message: splitText(redaction.string(messageOf(error)), MAX_DATA_BYTES / 2)[0] ?? '',
      };
      content.end();
      push({ type: 'warning', ts: timestamp(), data });
      await life.leave('abandoned');
    },
  };
  return {
    run,
    begin: () => life.begin(),
    close(): Promise<void> {
      if (life.state === 'open') content.end();
      return life.leave('closed');
    },
  };
}

const OPEN_STATUSES: readonly OpenStatus[] = ['PENDING', 'RUNNING', 'WAITING', 'PAUSED'];
